
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'ovhai' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'ovhai'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'ovhai' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('app', 'app', [CompletionResultType]::ParameterValue, 'Run, see, change and query apps')
            [CompletionResult]::new('apps', 'apps', [CompletionResultType]::ParameterValue, 'Run, see, change and query apps')
            [CompletionResult]::new('token', 'token', [CompletionResultType]::ParameterValue, 'Make, see, regenerate and delete application tokens')
            [CompletionResult]::new('tokens', 'tokens', [CompletionResultType]::ParameterValue, 'Make, see, regenerate and delete application tokens')
            [CompletionResult]::new('me', 'me', [CompletionResultType]::ParameterValue, 'Show who you are and what you may use')
            [CompletionResult]::new('emulator', 'emulator', [CompletionResultType]::ParameterValue, 'Start, stop and look at the local emulator')
            [CompletionResult]::new('emu', 'emu', [CompletionResultType]::ParameterValue, 'Start, stop and look at the local emulator')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Walk through labels, tokens and access in a minute, for real')
            [CompletionResult]::new('completion', 'completion', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ovhai;app' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Submit an app')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Submit an app')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List apps')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List apps')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Show an app')
            [CompletionResult]::new('curl', 'curl', [CompletionResultType]::ParameterValue, 'Send a request to an app, with a stored token')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Read an app''s output')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start an app')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop an app')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete an app')
            [CompletionResult]::new('rm', 'rm', [CompletionResultType]::ParameterValue, 'Delete an app')
            [CompletionResult]::new('set-label', 'set-label', [CompletionResultType]::ParameterValue, 'Set or remove a label of an app')
            [CompletionResult]::new('set-image', 'set-image', [CompletionResultType]::ParameterValue, 'Change an app''s image')
            [CompletionResult]::new('scale', 'scale', [CompletionResultType]::ParameterValue, 'Change an app''s number of replicas')
            [CompletionResult]::new('update', 'update', [CompletionResultType]::ParameterValue, 'Change an app''s environment or ports')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ovhai;apps' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Submit an app')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Submit an app')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List apps')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List apps')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Show an app')
            [CompletionResult]::new('curl', 'curl', [CompletionResultType]::ParameterValue, 'Send a request to an app, with a stored token')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Read an app''s output')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start an app')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop an app')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete an app')
            [CompletionResult]::new('rm', 'rm', [CompletionResultType]::ParameterValue, 'Delete an app')
            [CompletionResult]::new('set-label', 'set-label', [CompletionResultType]::ParameterValue, 'Set or remove a label of an app')
            [CompletionResult]::new('set-image', 'set-image', [CompletionResultType]::ParameterValue, 'Change an app''s image')
            [CompletionResult]::new('scale', 'scale', [CompletionResultType]::ParameterValue, 'Change an app''s number of replicas')
            [CompletionResult]::new('update', 'update', [CompletionResultType]::ParameterValue, 'Change an app''s environment or ports')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ovhai;app;run' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Name for people; generated when not given')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name for people; generated when not given')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Label, may be repeated; labels that begin with ovh/ are the platform''s')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label, may be repeated; labels that begin with ovh/ are the platform''s')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Environment variable, may be repeated')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Environment variable, may be repeated')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port that the app listens on [default: 8080]')
            [CompletionResult]::new('--default-http-port', '--default-http-port', [CompletionResultType]::ParameterName, 'Port that the app listens on [default: 8080]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port that the app listens on [default: 8080]')
            [CompletionResult]::new('--grpc-port', '--grpc-port', [CompletionResultType]::ParameterName, 'Port that speaks gRPC')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'GPU units')
            [CompletionResult]::new('--gpu', '--gpu', [CompletionResultType]::ParameterName, 'GPU units')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'CPU units; ignored with --gpu')
            [CompletionResult]::new('--cpu', '--cpu', [CompletionResultType]::ParameterName, 'CPU units; ignored with --gpu')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Flavor')
            [CompletionResult]::new('--flavor', '--flavor', [CompletionResultType]::ParameterName, 'Flavor')
            [CompletionResult]::new('--replicas', '--replicas', [CompletionResultType]::ParameterName, 'Fixed number of replicas, 1 to 10 [default: 1]')
            [CompletionResult]::new('--auto-min-replicas', '--auto-min-replicas', [CompletionResultType]::ParameterName, 'Smallest number of replicas of automatic scaling')
            [CompletionResult]::new('--auto-max-replicas', '--auto-max-replicas', [CompletionResultType]::ParameterName, 'Largest number of replicas of automatic scaling')
            [CompletionResult]::new('--auto-resource-type', '--auto-resource-type', [CompletionResultType]::ParameterName, 'What automatic scaling looks at: CPU or RAM [default: CPU]')
            [CompletionResult]::new('--auto-resource-usage-threshold', '--auto-resource-usage-threshold', [CompletionResultType]::ParameterName, 'Use at which automatic scaling adds replicas, in per cent [default: 75]')
            [CompletionResult]::new('--probe-path', '--probe-path', [CompletionResultType]::ParameterName, 'Path of the probe [default: /]')
            [CompletionResult]::new('--probe-port', '--probe-port', [CompletionResultType]::ParameterName, 'Port of the probe [default: the app''s own]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Emulator only: what runs the app (builtin, process, container)')
            [CompletionResult]::new('--workdir', '--workdir', [CompletionResultType]::ParameterName, 'Emulator only: directory of a local process [default: this one]')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until it is done, at most this long (such as 90s or 5m)')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('--unsecure-http', '--unsecure-http', [CompletionResultType]::ParameterName, 'Open the app to everybody, without a token')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;app;create' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Name for people; generated when not given')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name for people; generated when not given')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Label, may be repeated; labels that begin with ovh/ are the platform''s')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label, may be repeated; labels that begin with ovh/ are the platform''s')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Environment variable, may be repeated')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Environment variable, may be repeated')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port that the app listens on [default: 8080]')
            [CompletionResult]::new('--default-http-port', '--default-http-port', [CompletionResultType]::ParameterName, 'Port that the app listens on [default: 8080]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port that the app listens on [default: 8080]')
            [CompletionResult]::new('--grpc-port', '--grpc-port', [CompletionResultType]::ParameterName, 'Port that speaks gRPC')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'GPU units')
            [CompletionResult]::new('--gpu', '--gpu', [CompletionResultType]::ParameterName, 'GPU units')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'CPU units; ignored with --gpu')
            [CompletionResult]::new('--cpu', '--cpu', [CompletionResultType]::ParameterName, 'CPU units; ignored with --gpu')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Flavor')
            [CompletionResult]::new('--flavor', '--flavor', [CompletionResultType]::ParameterName, 'Flavor')
            [CompletionResult]::new('--replicas', '--replicas', [CompletionResultType]::ParameterName, 'Fixed number of replicas, 1 to 10 [default: 1]')
            [CompletionResult]::new('--auto-min-replicas', '--auto-min-replicas', [CompletionResultType]::ParameterName, 'Smallest number of replicas of automatic scaling')
            [CompletionResult]::new('--auto-max-replicas', '--auto-max-replicas', [CompletionResultType]::ParameterName, 'Largest number of replicas of automatic scaling')
            [CompletionResult]::new('--auto-resource-type', '--auto-resource-type', [CompletionResultType]::ParameterName, 'What automatic scaling looks at: CPU or RAM [default: CPU]')
            [CompletionResult]::new('--auto-resource-usage-threshold', '--auto-resource-usage-threshold', [CompletionResultType]::ParameterName, 'Use at which automatic scaling adds replicas, in per cent [default: 75]')
            [CompletionResult]::new('--probe-path', '--probe-path', [CompletionResultType]::ParameterName, 'Path of the probe [default: /]')
            [CompletionResult]::new('--probe-port', '--probe-port', [CompletionResultType]::ParameterName, 'Port of the probe [default: the app''s own]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Emulator only: what runs the app (builtin, process, container)')
            [CompletionResult]::new('--workdir', '--workdir', [CompletionResultType]::ParameterName, 'Emulator only: directory of a local process [default: this one]')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until it is done, at most this long (such as 90s or 5m)')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('--unsecure-http', '--unsecure-http', [CompletionResultType]::ParameterName, 'Open the app to everybody, without a token')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;apps;run' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Name for people; generated when not given')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name for people; generated when not given')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Label, may be repeated; labels that begin with ovh/ are the platform''s')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label, may be repeated; labels that begin with ovh/ are the platform''s')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Environment variable, may be repeated')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Environment variable, may be repeated')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port that the app listens on [default: 8080]')
            [CompletionResult]::new('--default-http-port', '--default-http-port', [CompletionResultType]::ParameterName, 'Port that the app listens on [default: 8080]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port that the app listens on [default: 8080]')
            [CompletionResult]::new('--grpc-port', '--grpc-port', [CompletionResultType]::ParameterName, 'Port that speaks gRPC')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'GPU units')
            [CompletionResult]::new('--gpu', '--gpu', [CompletionResultType]::ParameterName, 'GPU units')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'CPU units; ignored with --gpu')
            [CompletionResult]::new('--cpu', '--cpu', [CompletionResultType]::ParameterName, 'CPU units; ignored with --gpu')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Flavor')
            [CompletionResult]::new('--flavor', '--flavor', [CompletionResultType]::ParameterName, 'Flavor')
            [CompletionResult]::new('--replicas', '--replicas', [CompletionResultType]::ParameterName, 'Fixed number of replicas, 1 to 10 [default: 1]')
            [CompletionResult]::new('--auto-min-replicas', '--auto-min-replicas', [CompletionResultType]::ParameterName, 'Smallest number of replicas of automatic scaling')
            [CompletionResult]::new('--auto-max-replicas', '--auto-max-replicas', [CompletionResultType]::ParameterName, 'Largest number of replicas of automatic scaling')
            [CompletionResult]::new('--auto-resource-type', '--auto-resource-type', [CompletionResultType]::ParameterName, 'What automatic scaling looks at: CPU or RAM [default: CPU]')
            [CompletionResult]::new('--auto-resource-usage-threshold', '--auto-resource-usage-threshold', [CompletionResultType]::ParameterName, 'Use at which automatic scaling adds replicas, in per cent [default: 75]')
            [CompletionResult]::new('--probe-path', '--probe-path', [CompletionResultType]::ParameterName, 'Path of the probe [default: /]')
            [CompletionResult]::new('--probe-port', '--probe-port', [CompletionResultType]::ParameterName, 'Port of the probe [default: the app''s own]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Emulator only: what runs the app (builtin, process, container)')
            [CompletionResult]::new('--workdir', '--workdir', [CompletionResultType]::ParameterName, 'Emulator only: directory of a local process [default: this one]')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until it is done, at most this long (such as 90s or 5m)')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('--unsecure-http', '--unsecure-http', [CompletionResultType]::ParameterName, 'Open the app to everybody, without a token')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;apps;create' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Name for people; generated when not given')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name for people; generated when not given')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Label, may be repeated; labels that begin with ovh/ are the platform''s')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Label, may be repeated; labels that begin with ovh/ are the platform''s')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Environment variable, may be repeated')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Environment variable, may be repeated')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port that the app listens on [default: 8080]')
            [CompletionResult]::new('--default-http-port', '--default-http-port', [CompletionResultType]::ParameterName, 'Port that the app listens on [default: 8080]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port that the app listens on [default: 8080]')
            [CompletionResult]::new('--grpc-port', '--grpc-port', [CompletionResultType]::ParameterName, 'Port that speaks gRPC')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'GPU units')
            [CompletionResult]::new('--gpu', '--gpu', [CompletionResultType]::ParameterName, 'GPU units')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'CPU units; ignored with --gpu')
            [CompletionResult]::new('--cpu', '--cpu', [CompletionResultType]::ParameterName, 'CPU units; ignored with --gpu')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Flavor')
            [CompletionResult]::new('--flavor', '--flavor', [CompletionResultType]::ParameterName, 'Flavor')
            [CompletionResult]::new('--replicas', '--replicas', [CompletionResultType]::ParameterName, 'Fixed number of replicas, 1 to 10 [default: 1]')
            [CompletionResult]::new('--auto-min-replicas', '--auto-min-replicas', [CompletionResultType]::ParameterName, 'Smallest number of replicas of automatic scaling')
            [CompletionResult]::new('--auto-max-replicas', '--auto-max-replicas', [CompletionResultType]::ParameterName, 'Largest number of replicas of automatic scaling')
            [CompletionResult]::new('--auto-resource-type', '--auto-resource-type', [CompletionResultType]::ParameterName, 'What automatic scaling looks at: CPU or RAM [default: CPU]')
            [CompletionResult]::new('--auto-resource-usage-threshold', '--auto-resource-usage-threshold', [CompletionResultType]::ParameterName, 'Use at which automatic scaling adds replicas, in per cent [default: 75]')
            [CompletionResult]::new('--probe-path', '--probe-path', [CompletionResultType]::ParameterName, 'Path of the probe [default: /]')
            [CompletionResult]::new('--probe-port', '--probe-port', [CompletionResultType]::ParameterName, 'Port of the probe [default: the app''s own]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Emulator only: what runs the app (builtin, process, container)')
            [CompletionResult]::new('--workdir', '--workdir', [CompletionResultType]::ParameterName, 'Emulator only: directory of a local process [default: this one]')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until it is done, at most this long (such as 90s or 5m)')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('--unsecure-http', '--unsecure-http', [CompletionResultType]::ParameterName, 'Open the app to everybody, without a token')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;app;list' {
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Only apps that satisfy this label selector, such as group=A,team!=b')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only apps with this label, may be repeated')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only apps with this label, may be repeated')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Only apps in these states, with commas between them')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only apps in these states, with commas between them')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'All apps; stopped and failed ones are shown anyway')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All apps; stopped and failed ones are shown anyway')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;app;ls' {
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Only apps that satisfy this label selector, such as group=A,team!=b')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only apps with this label, may be repeated')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only apps with this label, may be repeated')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Only apps in these states, with commas between them')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only apps in these states, with commas between them')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'All apps; stopped and failed ones are shown anyway')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All apps; stopped and failed ones are shown anyway')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;apps;list' {
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Only apps that satisfy this label selector, such as group=A,team!=b')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only apps with this label, may be repeated')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only apps with this label, may be repeated')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Only apps in these states, with commas between them')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only apps in these states, with commas between them')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'All apps; stopped and failed ones are shown anyway')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All apps; stopped and failed ones are shown anyway')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;apps;ls' {
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Only apps that satisfy this label selector, such as group=A,team!=b')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only apps with this label, may be repeated')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only apps with this label, may be repeated')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Only apps in these states, with commas between them')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only apps in these states, with commas between them')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'All apps; stopped and failed ones are shown anyway')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All apps; stopped and failed ones are shown anyway')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;app;get' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;apps;get' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;app;curl' {
            [CompletionResult]::new('-X', '-X ', [CompletionResultType]::ParameterName, 'Method [default: GET, or POST with --data]')
            [CompletionResult]::new('--request', '--request', [CompletionResultType]::ParameterName, 'Method [default: GET, or POST with --data]')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Header, may be repeated')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Header, may be repeated')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Body')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Body')
            [CompletionResult]::new('--data-raw', '--data-raw', [CompletionResultType]::ParameterName, 'Body')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Use this stored token (name or id)')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Show status and headers before the body')
            [CompletionResult]::new('--include', '--include', [CompletionResultType]::ParameterName, 'Show status and headers before the body')
            [CompletionResult]::new('--fail', '--fail', [CompletionResultType]::ParameterName, 'End with exit code 22, and without the body, when the answer is an error')
            [CompletionResult]::new('--no-auth', '--no-auth', [CompletionResultType]::ParameterName, 'Send no token')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;apps;curl' {
            [CompletionResult]::new('-X', '-X ', [CompletionResultType]::ParameterName, 'Method [default: GET, or POST with --data]')
            [CompletionResult]::new('--request', '--request', [CompletionResultType]::ParameterName, 'Method [default: GET, or POST with --data]')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Header, may be repeated')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Header, may be repeated')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Body')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Body')
            [CompletionResult]::new('--data-raw', '--data-raw', [CompletionResultType]::ParameterName, 'Body')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Use this stored token (name or id)')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Show status and headers before the body')
            [CompletionResult]::new('--include', '--include', [CompletionResultType]::ParameterName, 'Show status and headers before the body')
            [CompletionResult]::new('--fail', '--fail', [CompletionResultType]::ParameterName, 'End with exit code 22, and without the body, when the answer is an error')
            [CompletionResult]::new('--no-auth', '--no-auth', [CompletionResultType]::ParameterName, 'Send no token')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;app;logs' {
            [CompletionResult]::new('--tail', '--tail', [CompletionResultType]::ParameterName, 'Only the last so many lines')
            [CompletionResult]::new('--replica', '--replica', [CompletionResultType]::ParameterName, 'Only of the replica with this number')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Go on with what is written from now on')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on with what is written from now on')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;apps;logs' {
            [CompletionResult]::new('--tail', '--tail', [CompletionResultType]::ParameterName, 'Only the last so many lines')
            [CompletionResult]::new('--replica', '--replica', [CompletionResultType]::ParameterName, 'Only of the replica with this number')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Go on with what is written from now on')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on with what is written from now on')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;app;start' {
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until it is done, at most this long (such as 90s or 5m)')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;apps;start' {
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until it is done, at most this long (such as 90s or 5m)')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;app;stop' {
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until it is done, at most this long (such as 90s or 5m)')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;apps;stop' {
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until it is done, at most this long (such as 90s or 5m)')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;app;delete' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'End it at once, and do not ask')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;app;rm' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'End it at once, and do not ask')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;apps;delete' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'End it at once, and do not ask')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;apps;rm' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'End it at once, and do not ask')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;app;set-label' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;apps;set-label' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;app;set-image' {
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until it is done, at most this long (such as 90s or 5m)')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;apps;set-image' {
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until it is done, at most this long (such as 90s or 5m)')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;app;scale' {
            [CompletionResult]::new('--replicas', '--replicas', [CompletionResultType]::ParameterName, 'Number of replicas, 1 to 10')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until it is done, at most this long (such as 90s or 5m)')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;apps;scale' {
            [CompletionResult]::new('--replicas', '--replicas', [CompletionResultType]::ParameterName, 'Number of replicas, 1 to 10')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until it is done, at most this long (such as 90s or 5m)')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;app;update' {
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Environment variable to set, may be repeated')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Environment variable to set, may be repeated')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port that the app listens on')
            [CompletionResult]::new('--default-http-port', '--default-http-port', [CompletionResultType]::ParameterName, 'Port that the app listens on')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port that the app listens on')
            [CompletionResult]::new('--grpc-port', '--grpc-port', [CompletionResultType]::ParameterName, 'Port that speaks gRPC')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;apps;update' {
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Environment variable to set, may be repeated')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Environment variable to set, may be repeated')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port that the app listens on')
            [CompletionResult]::new('--default-http-port', '--default-http-port', [CompletionResultType]::ParameterName, 'Port that the app listens on')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port that the app listens on')
            [CompletionResult]::new('--grpc-port', '--grpc-port', [CompletionResultType]::ParameterName, 'Port that speaks gRPC')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;app;help' {
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Submit an app')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List apps')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Show an app')
            [CompletionResult]::new('curl', 'curl', [CompletionResultType]::ParameterValue, 'Send a request to an app, with a stored token')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Read an app''s output')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start an app')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop an app')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete an app')
            [CompletionResult]::new('set-label', 'set-label', [CompletionResultType]::ParameterValue, 'Set or remove a label of an app')
            [CompletionResult]::new('set-image', 'set-image', [CompletionResultType]::ParameterValue, 'Change an app''s image')
            [CompletionResult]::new('scale', 'scale', [CompletionResultType]::ParameterValue, 'Change an app''s number of replicas')
            [CompletionResult]::new('update', 'update', [CompletionResultType]::ParameterValue, 'Change an app''s environment or ports')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ovhai;app;help;run' {
            break
        }
        'ovhai;app;help;list' {
            break
        }
        'ovhai;app;help;get' {
            break
        }
        'ovhai;app;help;curl' {
            break
        }
        'ovhai;app;help;logs' {
            break
        }
        'ovhai;app;help;start' {
            break
        }
        'ovhai;app;help;stop' {
            break
        }
        'ovhai;app;help;delete' {
            break
        }
        'ovhai;app;help;set-label' {
            break
        }
        'ovhai;app;help;set-image' {
            break
        }
        'ovhai;app;help;scale' {
            break
        }
        'ovhai;app;help;update' {
            break
        }
        'ovhai;app;help;help' {
            break
        }
        'ovhai;apps;help' {
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Submit an app')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List apps')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Show an app')
            [CompletionResult]::new('curl', 'curl', [CompletionResultType]::ParameterValue, 'Send a request to an app, with a stored token')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Read an app''s output')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start an app')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop an app')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete an app')
            [CompletionResult]::new('set-label', 'set-label', [CompletionResultType]::ParameterValue, 'Set or remove a label of an app')
            [CompletionResult]::new('set-image', 'set-image', [CompletionResultType]::ParameterValue, 'Change an app''s image')
            [CompletionResult]::new('scale', 'scale', [CompletionResultType]::ParameterValue, 'Change an app''s number of replicas')
            [CompletionResult]::new('update', 'update', [CompletionResultType]::ParameterValue, 'Change an app''s environment or ports')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ovhai;apps;help;run' {
            break
        }
        'ovhai;apps;help;list' {
            break
        }
        'ovhai;apps;help;get' {
            break
        }
        'ovhai;apps;help;curl' {
            break
        }
        'ovhai;apps;help;logs' {
            break
        }
        'ovhai;apps;help;start' {
            break
        }
        'ovhai;apps;help;stop' {
            break
        }
        'ovhai;apps;help;delete' {
            break
        }
        'ovhai;apps;help;set-label' {
            break
        }
        'ovhai;apps;help;set-image' {
            break
        }
        'ovhai;apps;help;scale' {
            break
        }
        'ovhai;apps;help;update' {
            break
        }
        'ovhai;apps;help;help' {
            break
        }
        'ovhai;token' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'Make a token; its string is shown once, and stored')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Make a token; its string is shown once, and stored')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List tokens; their strings are never shown')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List tokens; their strings are never shown')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Show a token, without its string')
            [CompletionResult]::new('regenerate', 'regenerate', [CompletionResultType]::ParameterValue, 'Give a token a new string; the old one stops working at once')
            [CompletionResult]::new('renew', 'renew', [CompletionResultType]::ParameterValue, 'Give a token a new string; the old one stops working at once')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete a token; its string stops working at once')
            [CompletionResult]::new('rm', 'rm', [CompletionResultType]::ParameterValue, 'Delete a token; its string stops working at once')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ovhai;tokens' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'Make a token; its string is shown once, and stored')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Make a token; its string is shown once, and stored')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List tokens; their strings are never shown')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List tokens; their strings are never shown')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Show a token, without its string')
            [CompletionResult]::new('regenerate', 'regenerate', [CompletionResultType]::ParameterValue, 'Give a token a new string; the old one stops working at once')
            [CompletionResult]::new('renew', 'renew', [CompletionResultType]::ParameterValue, 'Give a token a new string; the old one stops working at once')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete a token; its string stops working at once')
            [CompletionResult]::new('rm', 'rm', [CompletionResultType]::ParameterValue, 'Delete a token; its string stops working at once')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ovhai;token;new' {
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'What it may do: read (query the apps) or operator (manage them too)')
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'What it may do: read (query the apps) or operator (manage them too)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Which apps it is for, now and later; without one: all of the region')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Which apps it is for, now and later; without one: all of the region')
            [CompletionResult]::new('--label-selector', '--label-selector', [CompletionResultType]::ParameterName, 'Which apps it is for, now and later; without one: all of the region')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;token;create' {
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'What it may do: read (query the apps) or operator (manage them too)')
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'What it may do: read (query the apps) or operator (manage them too)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Which apps it is for, now and later; without one: all of the region')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Which apps it is for, now and later; without one: all of the region')
            [CompletionResult]::new('--label-selector', '--label-selector', [CompletionResultType]::ParameterName, 'Which apps it is for, now and later; without one: all of the region')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;tokens;new' {
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'What it may do: read (query the apps) or operator (manage them too)')
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'What it may do: read (query the apps) or operator (manage them too)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Which apps it is for, now and later; without one: all of the region')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Which apps it is for, now and later; without one: all of the region')
            [CompletionResult]::new('--label-selector', '--label-selector', [CompletionResultType]::ParameterName, 'Which apps it is for, now and later; without one: all of the region')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;tokens;create' {
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'What it may do: read (query the apps) or operator (manage them too)')
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'What it may do: read (query the apps) or operator (manage them too)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Which apps it is for, now and later; without one: all of the region')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Which apps it is for, now and later; without one: all of the region')
            [CompletionResult]::new('--label-selector', '--label-selector', [CompletionResultType]::ParameterName, 'Which apps it is for, now and later; without one: all of the region')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;token;list' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;token;ls' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;tokens;list' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;tokens;ls' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;token;get' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;tokens;get' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;token;regenerate' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;token;renew' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;tokens;regenerate' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;tokens;renew' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;token;delete' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;token;rm' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;tokens;delete' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;tokens;rm' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;token;help' {
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'Make a token; its string is shown once, and stored')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List tokens; their strings are never shown')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Show a token, without its string')
            [CompletionResult]::new('regenerate', 'regenerate', [CompletionResultType]::ParameterValue, 'Give a token a new string; the old one stops working at once')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete a token; its string stops working at once')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ovhai;token;help;new' {
            break
        }
        'ovhai;token;help;list' {
            break
        }
        'ovhai;token;help;get' {
            break
        }
        'ovhai;token;help;regenerate' {
            break
        }
        'ovhai;token;help;delete' {
            break
        }
        'ovhai;token;help;help' {
            break
        }
        'ovhai;tokens;help' {
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'Make a token; its string is shown once, and stored')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List tokens; their strings are never shown')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Show a token, without its string')
            [CompletionResult]::new('regenerate', 'regenerate', [CompletionResultType]::ParameterValue, 'Give a token a new string; the old one stops working at once')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete a token; its string stops working at once')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ovhai;tokens;help;new' {
            break
        }
        'ovhai;tokens;help;list' {
            break
        }
        'ovhai;tokens;help;get' {
            break
        }
        'ovhai;tokens;help;regenerate' {
            break
        }
        'ovhai;tokens;help;delete' {
            break
        }
        'ovhai;tokens;help;help' {
            break
        }
        'ovhai;me' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;emulator' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start an emulator of AI Deploy')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show whether one runs, and where')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop it')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Show its log, when it runs in the background')
            [CompletionResult]::new('openapi', 'openapi', [CompletionResultType]::ParameterValue, 'Print the OpenAPI document of its API')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ovhai;emu' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start an emulator of AI Deploy')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show whether one runs, and where')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop it')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Show its log, when it runs in the background')
            [CompletionResult]::new('openapi', 'openapi', [CompletionResultType]::ParameterValue, 'Print the OpenAPI document of its API')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ovhai;emulator;start' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port; 0 lets the system choose [env: `OVHAI_PORT`] [default: 4480]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port; 0 lets the system choose [env: `OVHAI_PORT`] [default: 4480]')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Address to listen on; anything but loopback lets other machines in')
            [CompletionResult]::new('--regions', '--regions', [CompletionResultType]::ParameterName, 'Regions, with commas between them; the first is the default')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'What runs apps that say nothing themselves and are not built in')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Go on in the background')
            [CompletionResult]::new('--detach', '--detach', [CompletionResultType]::ParameterName, 'Go on in the background')
            [CompletionResult]::new('--ephemeral', '--ephemeral', [CompletionResultType]::ParameterName, 'Keep nothing: no directory, no database')
            [CompletionResult]::new('--background', '--background', [CompletionResultType]::ParameterName, 'This is the process in the background')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;emu;start' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port; 0 lets the system choose [env: `OVHAI_PORT`] [default: 4480]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port; 0 lets the system choose [env: `OVHAI_PORT`] [default: 4480]')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Address to listen on; anything but loopback lets other machines in')
            [CompletionResult]::new('--regions', '--regions', [CompletionResultType]::ParameterName, 'Regions, with commas between them; the first is the default')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'What runs apps that say nothing themselves and are not built in')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Go on in the background')
            [CompletionResult]::new('--detach', '--detach', [CompletionResultType]::ParameterName, 'Go on in the background')
            [CompletionResult]::new('--ephemeral', '--ephemeral', [CompletionResultType]::ParameterName, 'Keep nothing: no directory, no database')
            [CompletionResult]::new('--background', '--background', [CompletionResultType]::ParameterName, 'This is the process in the background')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;emulator;status' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;emu;status' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;emulator;stop' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;emu;stop' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;emulator;logs' {
            [CompletionResult]::new('--tail', '--tail', [CompletionResultType]::ParameterName, 'Only the last so many lines')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Go on with what is written from now on')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on with what is written from now on')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;emu;logs' {
            [CompletionResult]::new('--tail', '--tail', [CompletionResultType]::ParameterName, 'Only the last so many lines')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Go on with what is written from now on')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on with what is written from now on')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;emulator;openapi' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;emu;openapi' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;emulator;help' {
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start an emulator of AI Deploy')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show whether one runs, and where')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop it')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Show its log, when it runs in the background')
            [CompletionResult]::new('openapi', 'openapi', [CompletionResultType]::ParameterValue, 'Print the OpenAPI document of its API')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ovhai;emulator;help;start' {
            break
        }
        'ovhai;emulator;help;status' {
            break
        }
        'ovhai;emulator;help;stop' {
            break
        }
        'ovhai;emulator;help;logs' {
            break
        }
        'ovhai;emulator;help;openapi' {
            break
        }
        'ovhai;emulator;help;help' {
            break
        }
        'ovhai;emu;help' {
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start an emulator of AI Deploy')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show whether one runs, and where')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop it')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Show its log, when it runs in the background')
            [CompletionResult]::new('openapi', 'openapi', [CompletionResultType]::ParameterValue, 'Print the OpenAPI document of its API')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ovhai;emu;help;start' {
            break
        }
        'ovhai;emu;help;status' {
            break
        }
        'ovhai;emu;help;stop' {
            break
        }
        'ovhai;emu;help;logs' {
            break
        }
        'ovhai;emu;help;openapi' {
            break
        }
        'ovhai;emu;help;help' {
            break
        }
        'ovhai;demo' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;completion' {
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but the result')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'ovhai;help' {
            [CompletionResult]::new('app', 'app', [CompletionResultType]::ParameterValue, 'Run, see, change and query apps')
            [CompletionResult]::new('token', 'token', [CompletionResultType]::ParameterValue, 'Make, see, regenerate and delete application tokens')
            [CompletionResult]::new('me', 'me', [CompletionResultType]::ParameterValue, 'Show who you are and what you may use')
            [CompletionResult]::new('emulator', 'emulator', [CompletionResultType]::ParameterValue, 'Start, stop and look at the local emulator')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Walk through labels, tokens and access in a minute, for real')
            [CompletionResult]::new('completion', 'completion', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ovhai;help;app' {
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Submit an app')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List apps')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Show an app')
            [CompletionResult]::new('curl', 'curl', [CompletionResultType]::ParameterValue, 'Send a request to an app, with a stored token')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Read an app''s output')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start an app')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop an app')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete an app')
            [CompletionResult]::new('set-label', 'set-label', [CompletionResultType]::ParameterValue, 'Set or remove a label of an app')
            [CompletionResult]::new('set-image', 'set-image', [CompletionResultType]::ParameterValue, 'Change an app''s image')
            [CompletionResult]::new('scale', 'scale', [CompletionResultType]::ParameterValue, 'Change an app''s number of replicas')
            [CompletionResult]::new('update', 'update', [CompletionResultType]::ParameterValue, 'Change an app''s environment or ports')
            break
        }
        'ovhai;help;app;run' {
            break
        }
        'ovhai;help;app;list' {
            break
        }
        'ovhai;help;app;get' {
            break
        }
        'ovhai;help;app;curl' {
            break
        }
        'ovhai;help;app;logs' {
            break
        }
        'ovhai;help;app;start' {
            break
        }
        'ovhai;help;app;stop' {
            break
        }
        'ovhai;help;app;delete' {
            break
        }
        'ovhai;help;app;set-label' {
            break
        }
        'ovhai;help;app;set-image' {
            break
        }
        'ovhai;help;app;scale' {
            break
        }
        'ovhai;help;app;update' {
            break
        }
        'ovhai;help;token' {
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'Make a token; its string is shown once, and stored')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List tokens; their strings are never shown')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Show a token, without its string')
            [CompletionResult]::new('regenerate', 'regenerate', [CompletionResultType]::ParameterValue, 'Give a token a new string; the old one stops working at once')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete a token; its string stops working at once')
            break
        }
        'ovhai;help;token;new' {
            break
        }
        'ovhai;help;token;list' {
            break
        }
        'ovhai;help;token;get' {
            break
        }
        'ovhai;help;token;regenerate' {
            break
        }
        'ovhai;help;token;delete' {
            break
        }
        'ovhai;help;me' {
            break
        }
        'ovhai;help;emulator' {
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start an emulator of AI Deploy')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show whether one runs, and where')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop it')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Show its log, when it runs in the background')
            [CompletionResult]::new('openapi', 'openapi', [CompletionResultType]::ParameterValue, 'Print the OpenAPI document of its API')
            break
        }
        'ovhai;help;emulator;start' {
            break
        }
        'ovhai;help;emulator;status' {
            break
        }
        'ovhai;help;emulator;stop' {
            break
        }
        'ovhai;help;emulator;logs' {
            break
        }
        'ovhai;help;emulator;openapi' {
            break
        }
        'ovhai;help;demo' {
            break
        }
        'ovhai;help;completion' {
            break
        }
        'ovhai;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
