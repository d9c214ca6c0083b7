define([], () => ({
  paint($element, layout) {
    $element.text(layout.title);
  },
}));
