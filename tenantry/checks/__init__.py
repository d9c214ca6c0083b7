"""What Qlik and the states of all stacks can tell about settings before anything is made (`tenantry
check`)."""
