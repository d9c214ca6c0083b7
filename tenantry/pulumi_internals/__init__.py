"""Everything that relies on undocumented behaviour of Pulumi, with one coupling per module.

Each module says what it relies on, in which versions that was verified, and what happens when it breaks. Each
has canary tests in `tests/pulumi_internals`, which run the real SDK and CLI. If one fails after an upgrade,
it names the module to check. `SDK` and `CLI` below are `test_sdk.py` and `test_engine.py` there.

coupling                 module             relies on                      canary
call, URN, run           calls              locals of the SDK's handler    CLI a_provider_finds_its_call
clean errors, partial    error_details      trailing metadata of a status  CLI a_failure_shows_only
provider started early   early_provider     an invoke starts a provider    CLI a_provider_starts_before
calls at once            workers            a reference to the pool        CLI more_calls_than_four
end with the engine      engine_address     last argument of the process   CLI the_engines_address
small states             stack_traces       a function of the SDK          SDK a_resource_is_registered
provider in the state    dynamic_resources  type, key, one instance each   SDK the_provider_is_under
providers of states      provider_strings   one function makes them all    SDK the_provider_process_creates
unknown values           unknown_values     a class, and a fixed string    SDK an_unknown_value_is
programs without engine  program_runs       objects for the two services   CLI a_program_runs_without
secret configuration     config_values      a function of the SDK          SDK the_sdk_distinguishes
kept providers           attaching          a variable, and `Attach`       CLI the_engine_attaches
kept language hosts      language_hosts     a variable, `Run`, `Log`       CLI the_engine_runs_the_program
variables of the engine  environment        seven variables                 CLI the_event_log_is_an_option
login, exit code         commands           credentials.json; 6            CLI the_login_is_in
states, exported         deployment         names of their parts           CLI a_state_has_the_keys
files of a backend       backend_files      paths of states and locks      CLI an_empty_stack
locks elsewhere          lock_messages      the text of an error           CLI a_lock_is_a_file
what a run does          event_log          keys of its events             CLI the_event_log_has
imports                  import_files       `outputs` in the import file   CLI an_import_takes_outputs
passphrases              passphrase         how a salt is made             CLI the_salt_of_a_stack

Two more couplings are elsewhere. `tenantry/fleet/troubles.py` knows the error texts of `pulumi` before the
engine starts; it shows an unknown text unchanged. `tenantry/pulumi_cli` has a replacement for the language
host, with its own tests.
"""
