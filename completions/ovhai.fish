# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ovhai_global_optspecs
    string join \n token= region= o/output= state-dir= q/quiet h/help V/version
end

function __fish_ovhai_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ovhai_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ovhai_using_subcommand
    set -l cmd (__fish_ovhai_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ovhai -n "__fish_ovhai_needs_command" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_needs_command" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_needs_command" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_needs_command" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_needs_command" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_needs_command" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_needs_command" -f -a "app" -d 'Run, see, change and query apps'
complete -c ovhai -n "__fish_ovhai_needs_command" -f -a "apps" -d 'Run, see, change and query apps'
complete -c ovhai -n "__fish_ovhai_needs_command" -f -a "token" -d 'Make, see, regenerate and delete application tokens'
complete -c ovhai -n "__fish_ovhai_needs_command" -f -a "tokens" -d 'Make, see, regenerate and delete application tokens'
complete -c ovhai -n "__fish_ovhai_needs_command" -f -a "me" -d 'Show who you are and what you may use'
complete -c ovhai -n "__fish_ovhai_needs_command" -f -a "emulator" -d 'Start, stop and look at the local emulator'
complete -c ovhai -n "__fish_ovhai_needs_command" -f -a "emu" -d 'Start, stop and look at the local emulator'
complete -c ovhai -n "__fish_ovhai_needs_command" -f -a "demo" -d 'Walk through labels, tokens and access in a minute, for real'
complete -c ovhai -n "__fish_ovhai_needs_command" -f -a "completion" -d 'Print the completion script of a shell'
complete -c ovhai -n "__fish_ovhai_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "run" -d 'Submit an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "create" -d 'Submit an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "list" -d 'List apps'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "ls" -d 'List apps'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "get" -d 'Show an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "curl" -d 'Send a request to an app, with a stored token'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "logs" -d 'Read an app\'s output'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "start" -d 'Start an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "stop" -d 'Stop an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "delete" -d 'Delete an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "rm" -d 'Delete an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "set-label" -d 'Set or remove a label of an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "set-image" -d 'Change an app\'s image'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "scale" -d 'Change an app\'s number of replicas'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "update" -d 'Change an app\'s environment or ports'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -s n -l name -d 'Name for people; generated when not given' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -s l -l label -d 'Label, may be repeated; labels that begin with ovh/ are the platform\'s' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -s e -l env -d 'Environment variable, may be repeated' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -s p -l default-http-port -l port -d 'Port that the app listens on [default: 8080]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -l grpc-port -d 'Port that speaks gRPC' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -s g -l gpu -d 'GPU units' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -s c -l cpu -d 'CPU units; ignored with --gpu' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -s f -l flavor -d 'Flavor' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -l replicas -d 'Fixed number of replicas, 1 to 10 [default: 1]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -l auto-min-replicas -d 'Smallest number of replicas of automatic scaling' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -l auto-max-replicas -d 'Largest number of replicas of automatic scaling' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -l auto-resource-type -d 'What automatic scaling looks at: CPU or RAM [default: CPU]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -l auto-resource-usage-threshold -d 'Use at which automatic scaling adds replicas, in per cent [default: 75]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -l probe-path -d 'Path of the probe [default: /]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -l probe-port -d 'Port of the probe [default: the app\'s own]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -l runtime -d 'Emulator only: what runs the app (builtin, process, container)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -l workdir -d 'Emulator only: directory of a local process [default: this one]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -l wait -d 'Wait until it is done, at most this long (such as 90s or 5m)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -l unsecure-http -d 'Open the app to everybody, without a token'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from run" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -s n -l name -d 'Name for people; generated when not given' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -s l -l label -d 'Label, may be repeated; labels that begin with ovh/ are the platform\'s' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -s e -l env -d 'Environment variable, may be repeated' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -s p -l default-http-port -l port -d 'Port that the app listens on [default: 8080]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -l grpc-port -d 'Port that speaks gRPC' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -s g -l gpu -d 'GPU units' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -s c -l cpu -d 'CPU units; ignored with --gpu' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -s f -l flavor -d 'Flavor' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -l replicas -d 'Fixed number of replicas, 1 to 10 [default: 1]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -l auto-min-replicas -d 'Smallest number of replicas of automatic scaling' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -l auto-max-replicas -d 'Largest number of replicas of automatic scaling' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -l auto-resource-type -d 'What automatic scaling looks at: CPU or RAM [default: CPU]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -l auto-resource-usage-threshold -d 'Use at which automatic scaling adds replicas, in per cent [default: 75]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -l probe-path -d 'Path of the probe [default: /]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -l probe-port -d 'Port of the probe [default: the app\'s own]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -l runtime -d 'Emulator only: what runs the app (builtin, process, container)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -l workdir -d 'Emulator only: directory of a local process [default: this one]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -l wait -d 'Wait until it is done, at most this long (such as 90s or 5m)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -l unsecure-http -d 'Open the app to everybody, without a token'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from list" -l selector -d 'Only apps that satisfy this label selector, such as group=A,team!=b' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from list" -s l -l label -d 'Only apps with this label, may be repeated' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from list" -s s -l state -d 'Only apps in these states, with commas between them' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from list" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from list" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from list" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from list" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from list" -s a -l all -d 'All apps; stopped and failed ones are shown anyway'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from ls" -l selector -d 'Only apps that satisfy this label selector, such as group=A,team!=b' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from ls" -s l -l label -d 'Only apps with this label, may be repeated' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from ls" -s s -l state -d 'Only apps in these states, with commas between them' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from ls" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from ls" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from ls" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from ls" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from ls" -s a -l all -d 'All apps; stopped and failed ones are shown anyway'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from get" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from get" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from get" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from get" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from get" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from curl" -s X -l request -d 'Method [default: GET, or POST with --data]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from curl" -s H -l header -d 'Header, may be repeated' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from curl" -s d -l data -l data-raw -d 'Body' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from curl" -l as -d 'Use this stored token (name or id)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from curl" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from curl" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from curl" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from curl" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from curl" -s i -l include -d 'Show status and headers before the body'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from curl" -l fail -d 'End with exit code 22, and without the body, when the answer is an error'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from curl" -l no-auth -d 'Send no token'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from curl" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from curl" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from curl" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from logs" -l tail -d 'Only the last so many lines' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from logs" -l replica -d 'Only of the replica with this number' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from logs" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from logs" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from logs" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from logs" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from logs" -s f -l follow -d 'Go on with what is written from now on'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from logs" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from logs" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from start" -l wait -d 'Wait until it is done, at most this long (such as 90s or 5m)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from start" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from start" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from start" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from start" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from start" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from start" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from stop" -l wait -d 'Wait until it is done, at most this long (such as 90s or 5m)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from stop" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from stop" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from stop" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from stop" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from stop" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from stop" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from delete" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from delete" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from delete" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from delete" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from delete" -l force -d 'End it at once, and do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from delete" -s y -l yes -d 'Do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from delete" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from rm" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from rm" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from rm" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from rm" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from rm" -l force -d 'End it at once, and do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from rm" -s y -l yes -d 'Do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from set-label" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from set-label" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from set-label" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from set-label" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from set-label" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from set-label" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from set-label" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from set-image" -l wait -d 'Wait until it is done, at most this long (such as 90s or 5m)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from set-image" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from set-image" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from set-image" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from set-image" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from set-image" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from set-image" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from set-image" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from scale" -l replicas -d 'Number of replicas, 1 to 10' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from scale" -l wait -d 'Wait until it is done, at most this long (such as 90s or 5m)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from scale" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from scale" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from scale" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from scale" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from scale" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from scale" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from scale" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from update" -s e -l env -d 'Environment variable to set, may be repeated' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from update" -s p -l default-http-port -l port -d 'Port that the app listens on' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from update" -l grpc-port -d 'Port that speaks gRPC' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from update" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from update" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from update" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from update" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from update" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from update" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from help" -f -a "run" -d 'Submit an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from help" -f -a "list" -d 'List apps'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from help" -f -a "get" -d 'Show an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from help" -f -a "curl" -d 'Send a request to an app, with a stored token'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from help" -f -a "logs" -d 'Read an app\'s output'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from help" -f -a "start" -d 'Start an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from help" -f -a "stop" -d 'Stop an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from help" -f -a "delete" -d 'Delete an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from help" -f -a "set-label" -d 'Set or remove a label of an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from help" -f -a "set-image" -d 'Change an app\'s image'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from help" -f -a "scale" -d 'Change an app\'s number of replicas'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from help" -f -a "update" -d 'Change an app\'s environment or ports'
complete -c ovhai -n "__fish_ovhai_using_subcommand app; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "run" -d 'Submit an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "create" -d 'Submit an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "list" -d 'List apps'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "ls" -d 'List apps'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "get" -d 'Show an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "curl" -d 'Send a request to an app, with a stored token'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "logs" -d 'Read an app\'s output'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "start" -d 'Start an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "stop" -d 'Stop an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "delete" -d 'Delete an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "rm" -d 'Delete an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "set-label" -d 'Set or remove a label of an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "set-image" -d 'Change an app\'s image'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "scale" -d 'Change an app\'s number of replicas'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "update" -d 'Change an app\'s environment or ports'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and not __fish_seen_subcommand_from run create list ls get curl logs start stop delete rm set-label set-image scale update help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -s n -l name -d 'Name for people; generated when not given' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -s l -l label -d 'Label, may be repeated; labels that begin with ovh/ are the platform\'s' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -s e -l env -d 'Environment variable, may be repeated' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -s p -l default-http-port -l port -d 'Port that the app listens on [default: 8080]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -l grpc-port -d 'Port that speaks gRPC' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -s g -l gpu -d 'GPU units' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -s c -l cpu -d 'CPU units; ignored with --gpu' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -s f -l flavor -d 'Flavor' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -l replicas -d 'Fixed number of replicas, 1 to 10 [default: 1]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -l auto-min-replicas -d 'Smallest number of replicas of automatic scaling' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -l auto-max-replicas -d 'Largest number of replicas of automatic scaling' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -l auto-resource-type -d 'What automatic scaling looks at: CPU or RAM [default: CPU]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -l auto-resource-usage-threshold -d 'Use at which automatic scaling adds replicas, in per cent [default: 75]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -l probe-path -d 'Path of the probe [default: /]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -l probe-port -d 'Port of the probe [default: the app\'s own]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -l runtime -d 'Emulator only: what runs the app (builtin, process, container)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -l workdir -d 'Emulator only: directory of a local process [default: this one]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -l wait -d 'Wait until it is done, at most this long (such as 90s or 5m)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -l unsecure-http -d 'Open the app to everybody, without a token'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from run" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -s n -l name -d 'Name for people; generated when not given' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -s l -l label -d 'Label, may be repeated; labels that begin with ovh/ are the platform\'s' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -s e -l env -d 'Environment variable, may be repeated' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -s p -l default-http-port -l port -d 'Port that the app listens on [default: 8080]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -l grpc-port -d 'Port that speaks gRPC' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -s g -l gpu -d 'GPU units' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -s c -l cpu -d 'CPU units; ignored with --gpu' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -s f -l flavor -d 'Flavor' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -l replicas -d 'Fixed number of replicas, 1 to 10 [default: 1]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -l auto-min-replicas -d 'Smallest number of replicas of automatic scaling' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -l auto-max-replicas -d 'Largest number of replicas of automatic scaling' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -l auto-resource-type -d 'What automatic scaling looks at: CPU or RAM [default: CPU]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -l auto-resource-usage-threshold -d 'Use at which automatic scaling adds replicas, in per cent [default: 75]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -l probe-path -d 'Path of the probe [default: /]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -l probe-port -d 'Port of the probe [default: the app\'s own]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -l runtime -d 'Emulator only: what runs the app (builtin, process, container)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -l workdir -d 'Emulator only: directory of a local process [default: this one]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -l wait -d 'Wait until it is done, at most this long (such as 90s or 5m)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -l unsecure-http -d 'Open the app to everybody, without a token'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from list" -l selector -d 'Only apps that satisfy this label selector, such as group=A,team!=b' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from list" -s l -l label -d 'Only apps with this label, may be repeated' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from list" -s s -l state -d 'Only apps in these states, with commas between them' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from list" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from list" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from list" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from list" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from list" -s a -l all -d 'All apps; stopped and failed ones are shown anyway'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from ls" -l selector -d 'Only apps that satisfy this label selector, such as group=A,team!=b' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from ls" -s l -l label -d 'Only apps with this label, may be repeated' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from ls" -s s -l state -d 'Only apps in these states, with commas between them' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from ls" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from ls" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from ls" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from ls" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from ls" -s a -l all -d 'All apps; stopped and failed ones are shown anyway'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from get" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from get" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from get" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from get" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from get" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from curl" -s X -l request -d 'Method [default: GET, or POST with --data]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from curl" -s H -l header -d 'Header, may be repeated' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from curl" -s d -l data -l data-raw -d 'Body' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from curl" -l as -d 'Use this stored token (name or id)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from curl" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from curl" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from curl" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from curl" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from curl" -s i -l include -d 'Show status and headers before the body'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from curl" -l fail -d 'End with exit code 22, and without the body, when the answer is an error'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from curl" -l no-auth -d 'Send no token'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from curl" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from curl" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from curl" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from logs" -l tail -d 'Only the last so many lines' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from logs" -l replica -d 'Only of the replica with this number' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from logs" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from logs" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from logs" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from logs" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from logs" -s f -l follow -d 'Go on with what is written from now on'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from logs" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from logs" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from start" -l wait -d 'Wait until it is done, at most this long (such as 90s or 5m)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from start" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from start" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from start" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from start" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from start" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from start" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from stop" -l wait -d 'Wait until it is done, at most this long (such as 90s or 5m)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from stop" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from stop" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from stop" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from stop" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from stop" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from stop" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from delete" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from delete" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from delete" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from delete" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from delete" -l force -d 'End it at once, and do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from delete" -s y -l yes -d 'Do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from delete" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from rm" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from rm" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from rm" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from rm" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from rm" -l force -d 'End it at once, and do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from rm" -s y -l yes -d 'Do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from set-label" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from set-label" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from set-label" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from set-label" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from set-label" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from set-label" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from set-label" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from set-image" -l wait -d 'Wait until it is done, at most this long (such as 90s or 5m)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from set-image" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from set-image" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from set-image" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from set-image" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from set-image" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from set-image" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from set-image" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from scale" -l replicas -d 'Number of replicas, 1 to 10' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from scale" -l wait -d 'Wait until it is done, at most this long (such as 90s or 5m)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from scale" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from scale" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from scale" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from scale" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from scale" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from scale" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from scale" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from update" -s e -l env -d 'Environment variable to set, may be repeated' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from update" -s p -l default-http-port -l port -d 'Port that the app listens on' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from update" -l grpc-port -d 'Port that speaks gRPC' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from update" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from update" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from update" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from update" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from update" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from update" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from help" -f -a "run" -d 'Submit an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from help" -f -a "list" -d 'List apps'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from help" -f -a "get" -d 'Show an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from help" -f -a "curl" -d 'Send a request to an app, with a stored token'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from help" -f -a "logs" -d 'Read an app\'s output'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from help" -f -a "start" -d 'Start an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from help" -f -a "stop" -d 'Stop an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from help" -f -a "delete" -d 'Delete an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from help" -f -a "set-label" -d 'Set or remove a label of an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from help" -f -a "set-image" -d 'Change an app\'s image'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from help" -f -a "scale" -d 'Change an app\'s number of replicas'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from help" -f -a "update" -d 'Change an app\'s environment or ports'
complete -c ovhai -n "__fish_ovhai_using_subcommand apps; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "new" -d 'Make a token; its string is shown once, and stored'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "create" -d 'Make a token; its string is shown once, and stored'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "list" -d 'List tokens; their strings are never shown'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "ls" -d 'List tokens; their strings are never shown'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "get" -d 'Show a token, without its string'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "regenerate" -d 'Give a token a new string; the old one stops working at once'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "renew" -d 'Give a token a new string; the old one stops working at once'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "delete" -d 'Delete a token; its string stops working at once'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "rm" -d 'Delete a token; its string stops working at once'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from new" -s r -l role -d 'What it may do: read (query the apps) or operator (manage them too)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from new" -s l -l selector -l label-selector -d 'Which apps it is for, now and later; without one: all of the region' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from new" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from new" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from new" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from new" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from new" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from new" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from new" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from create" -s r -l role -d 'What it may do: read (query the apps) or operator (manage them too)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from create" -s l -l selector -l label-selector -d 'Which apps it is for, now and later; without one: all of the region' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from create" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from create" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from create" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from create" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from list" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from list" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from list" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from list" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from ls" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from ls" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from ls" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from ls" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from get" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from get" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from get" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from get" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from get" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from regenerate" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from regenerate" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from regenerate" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from regenerate" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from regenerate" -s y -l yes -d 'Do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from regenerate" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from regenerate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from regenerate" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from renew" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from renew" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from renew" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from renew" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from renew" -s y -l yes -d 'Do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from renew" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from renew" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from renew" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from delete" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from delete" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from delete" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from delete" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from delete" -s y -l yes -d 'Do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from delete" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from rm" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from rm" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from rm" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from rm" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from rm" -s y -l yes -d 'Do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "new" -d 'Make a token; its string is shown once, and stored'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "list" -d 'List tokens; their strings are never shown'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "get" -d 'Show a token, without its string'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "regenerate" -d 'Give a token a new string; the old one stops working at once'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "delete" -d 'Delete a token; its string stops working at once'
complete -c ovhai -n "__fish_ovhai_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "new" -d 'Make a token; its string is shown once, and stored'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "create" -d 'Make a token; its string is shown once, and stored'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "list" -d 'List tokens; their strings are never shown'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "ls" -d 'List tokens; their strings are never shown'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "get" -d 'Show a token, without its string'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "regenerate" -d 'Give a token a new string; the old one stops working at once'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "renew" -d 'Give a token a new string; the old one stops working at once'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "delete" -d 'Delete a token; its string stops working at once'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "rm" -d 'Delete a token; its string stops working at once'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and not __fish_seen_subcommand_from new create list ls get regenerate renew delete rm help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from new" -s r -l role -d 'What it may do: read (query the apps) or operator (manage them too)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from new" -s l -l selector -l label-selector -d 'Which apps it is for, now and later; without one: all of the region' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from new" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from new" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from new" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from new" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from new" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from new" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from new" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from create" -s r -l role -d 'What it may do: read (query the apps) or operator (manage them too)' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from create" -s l -l selector -l label-selector -d 'Which apps it is for, now and later; without one: all of the region' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from create" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from create" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from create" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from create" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from list" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from list" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from list" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from list" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from ls" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from ls" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from ls" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from ls" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from get" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from get" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from get" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from get" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from get" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from regenerate" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from regenerate" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from regenerate" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from regenerate" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from regenerate" -s y -l yes -d 'Do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from regenerate" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from regenerate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from regenerate" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from renew" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from renew" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from renew" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from renew" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from renew" -s y -l yes -d 'Do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from renew" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from renew" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from renew" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from delete" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from delete" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from delete" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from delete" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from delete" -s y -l yes -d 'Do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from delete" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from rm" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from rm" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from rm" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from rm" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from rm" -s y -l yes -d 'Do not ask'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from help" -f -a "new" -d 'Make a token; its string is shown once, and stored'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from help" -f -a "list" -d 'List tokens; their strings are never shown'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from help" -f -a "get" -d 'Show a token, without its string'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from help" -f -a "regenerate" -d 'Give a token a new string; the old one stops working at once'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from help" -f -a "delete" -d 'Delete a token; its string stops working at once'
complete -c ovhai -n "__fish_ovhai_using_subcommand tokens; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ovhai -n "__fish_ovhai_using_subcommand me" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand me" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand me" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand me" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand me" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand me" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand me" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and not __fish_seen_subcommand_from start status stop logs openapi help" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and not __fish_seen_subcommand_from start status stop logs openapi help" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and not __fish_seen_subcommand_from start status stop logs openapi help" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and not __fish_seen_subcommand_from start status stop logs openapi help" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and not __fish_seen_subcommand_from start status stop logs openapi help" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and not __fish_seen_subcommand_from start status stop logs openapi help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and not __fish_seen_subcommand_from start status stop logs openapi help" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and not __fish_seen_subcommand_from start status stop logs openapi help" -f -a "start" -d 'Start an emulator of AI Deploy'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and not __fish_seen_subcommand_from start status stop logs openapi help" -f -a "status" -d 'Show whether one runs, and where'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and not __fish_seen_subcommand_from start status stop logs openapi help" -f -a "stop" -d 'Stop it'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and not __fish_seen_subcommand_from start status stop logs openapi help" -f -a "logs" -d 'Show its log, when it runs in the background'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and not __fish_seen_subcommand_from start status stop logs openapi help" -f -a "openapi" -d 'Print the OpenAPI document of its API'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and not __fish_seen_subcommand_from start status stop logs openapi help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from start" -s p -l port -d 'Port; 0 lets the system choose [env: `OVHAI_PORT`] [default: 4480]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from start" -l host -d 'Address to listen on; anything but loopback lets other machines in' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from start" -l regions -d 'Regions, with commas between them; the first is the default' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from start" -l runtime -d 'What runs apps that say nothing themselves and are not built in' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from start" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from start" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from start" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from start" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from start" -s d -l detach -d 'Go on in the background'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from start" -l ephemeral -d 'Keep nothing: no directory, no database'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from start" -l background -d 'This is the process in the background'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from start" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from start" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from status" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from status" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from status" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from status" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from status" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from stop" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from stop" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from stop" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from stop" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from stop" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from stop" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from logs" -l tail -d 'Only the last so many lines' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from logs" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from logs" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from logs" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from logs" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from logs" -s f -l follow -d 'Go on with what is written from now on'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from logs" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from logs" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from openapi" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from openapi" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from openapi" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from openapi" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from openapi" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from openapi" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from openapi" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from help" -f -a "start" -d 'Start an emulator of AI Deploy'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from help" -f -a "status" -d 'Show whether one runs, and where'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from help" -f -a "stop" -d 'Stop it'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from help" -f -a "logs" -d 'Show its log, when it runs in the background'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from help" -f -a "openapi" -d 'Print the OpenAPI document of its API'
complete -c ovhai -n "__fish_ovhai_using_subcommand emulator; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and not __fish_seen_subcommand_from start status stop logs openapi help" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and not __fish_seen_subcommand_from start status stop logs openapi help" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and not __fish_seen_subcommand_from start status stop logs openapi help" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and not __fish_seen_subcommand_from start status stop logs openapi help" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and not __fish_seen_subcommand_from start status stop logs openapi help" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and not __fish_seen_subcommand_from start status stop logs openapi help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and not __fish_seen_subcommand_from start status stop logs openapi help" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and not __fish_seen_subcommand_from start status stop logs openapi help" -f -a "start" -d 'Start an emulator of AI Deploy'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and not __fish_seen_subcommand_from start status stop logs openapi help" -f -a "status" -d 'Show whether one runs, and where'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and not __fish_seen_subcommand_from start status stop logs openapi help" -f -a "stop" -d 'Stop it'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and not __fish_seen_subcommand_from start status stop logs openapi help" -f -a "logs" -d 'Show its log, when it runs in the background'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and not __fish_seen_subcommand_from start status stop logs openapi help" -f -a "openapi" -d 'Print the OpenAPI document of its API'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and not __fish_seen_subcommand_from start status stop logs openapi help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from start" -s p -l port -d 'Port; 0 lets the system choose [env: `OVHAI_PORT`] [default: 4480]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from start" -l host -d 'Address to listen on; anything but loopback lets other machines in' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from start" -l regions -d 'Regions, with commas between them; the first is the default' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from start" -l runtime -d 'What runs apps that say nothing themselves and are not built in' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from start" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from start" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from start" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from start" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from start" -s d -l detach -d 'Go on in the background'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from start" -l ephemeral -d 'Keep nothing: no directory, no database'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from start" -l background -d 'This is the process in the background'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from start" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from start" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from status" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from status" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from status" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from status" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from status" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from stop" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from stop" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from stop" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from stop" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from stop" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from stop" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from logs" -l tail -d 'Only the last so many lines' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from logs" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from logs" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from logs" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from logs" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from logs" -s f -l follow -d 'Go on with what is written from now on'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from logs" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from logs" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from openapi" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from openapi" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from openapi" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from openapi" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from openapi" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from openapi" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from openapi" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from help" -f -a "start" -d 'Start an emulator of AI Deploy'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from help" -f -a "status" -d 'Show whether one runs, and where'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from help" -f -a "stop" -d 'Stop it'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from help" -f -a "logs" -d 'Show its log, when it runs in the background'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from help" -f -a "openapi" -d 'Print the OpenAPI document of its API'
complete -c ovhai -n "__fish_ovhai_using_subcommand emu; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ovhai -n "__fish_ovhai_using_subcommand demo" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand demo" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand demo" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand demo" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand demo" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand demo" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand completion" -l token -d 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand completion" -l region -d 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator\'s first]' -r
complete -c ovhai -n "__fish_ovhai_using_subcommand completion" -s o -l output -d 'How to show the result' -r -f -a "json\t'JSON; a list is one array'
yaml\t'YAML'
description\t'Names and values, for people'
table\t'A table, for people'
name\t'Only the name'"
complete -c ovhai -n "__fish_ovhai_using_subcommand completion" -l state-dir -d 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]' -r -F
complete -c ovhai -n "__fish_ovhai_using_subcommand completion" -s q -l quiet -d 'Say nothing but the result'
complete -c ovhai -n "__fish_ovhai_using_subcommand completion" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ovhai -n "__fish_ovhai_using_subcommand completion" -s V -l version -d 'Print version'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and not __fish_seen_subcommand_from app token me emulator demo completion help" -f -a "app" -d 'Run, see, change and query apps'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and not __fish_seen_subcommand_from app token me emulator demo completion help" -f -a "token" -d 'Make, see, regenerate and delete application tokens'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and not __fish_seen_subcommand_from app token me emulator demo completion help" -f -a "me" -d 'Show who you are and what you may use'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and not __fish_seen_subcommand_from app token me emulator demo completion help" -f -a "emulator" -d 'Start, stop and look at the local emulator'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and not __fish_seen_subcommand_from app token me emulator demo completion help" -f -a "demo" -d 'Walk through labels, tokens and access in a minute, for real'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and not __fish_seen_subcommand_from app token me emulator demo completion help" -f -a "completion" -d 'Print the completion script of a shell'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and not __fish_seen_subcommand_from app token me emulator demo completion help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from app" -f -a "run" -d 'Submit an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from app" -f -a "list" -d 'List apps'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from app" -f -a "get" -d 'Show an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from app" -f -a "curl" -d 'Send a request to an app, with a stored token'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from app" -f -a "logs" -d 'Read an app\'s output'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from app" -f -a "start" -d 'Start an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from app" -f -a "stop" -d 'Stop an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from app" -f -a "delete" -d 'Delete an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from app" -f -a "set-label" -d 'Set or remove a label of an app'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from app" -f -a "set-image" -d 'Change an app\'s image'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from app" -f -a "scale" -d 'Change an app\'s number of replicas'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from app" -f -a "update" -d 'Change an app\'s environment or ports'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from token" -f -a "new" -d 'Make a token; its string is shown once, and stored'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from token" -f -a "list" -d 'List tokens; their strings are never shown'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from token" -f -a "get" -d 'Show a token, without its string'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from token" -f -a "regenerate" -d 'Give a token a new string; the old one stops working at once'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from token" -f -a "delete" -d 'Delete a token; its string stops working at once'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from emulator" -f -a "start" -d 'Start an emulator of AI Deploy'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from emulator" -f -a "status" -d 'Show whether one runs, and where'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from emulator" -f -a "stop" -d 'Stop it'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from emulator" -f -a "logs" -d 'Show its log, when it runs in the background'
complete -c ovhai -n "__fish_ovhai_using_subcommand help; and __fish_seen_subcommand_from emulator" -f -a "openapi" -d 'Print the OpenAPI document of its API'
