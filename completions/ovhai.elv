
use builtin;
use str;

set edit:completion:arg-completer[ovhai] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'ovhai'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'ovhai'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand app 'Run, see, change and query apps'
            cand apps 'Run, see, change and query apps'
            cand token 'Make, see, regenerate and delete application tokens'
            cand tokens 'Make, see, regenerate and delete application tokens'
            cand me 'Show who you are and what you may use'
            cand emulator 'Start, stop and look at the local emulator'
            cand emu 'Start, stop and look at the local emulator'
            cand demo 'Walk through labels, tokens and access in a minute, for real'
            cand completion 'Print the completion script of a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ovhai;app'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand run 'Submit an app'
            cand create 'Submit an app'
            cand list 'List apps'
            cand ls 'List apps'
            cand get 'Show an app'
            cand curl 'Send a request to an app, with a stored token'
            cand logs 'Read an app''s output'
            cand start 'Start an app'
            cand stop 'Stop an app'
            cand delete 'Delete an app'
            cand rm 'Delete an app'
            cand set-label 'Set or remove a label of an app'
            cand set-image 'Change an app''s image'
            cand scale 'Change an app''s number of replicas'
            cand update 'Change an app''s environment or ports'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ovhai;apps'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand run 'Submit an app'
            cand create 'Submit an app'
            cand list 'List apps'
            cand ls 'List apps'
            cand get 'Show an app'
            cand curl 'Send a request to an app, with a stored token'
            cand logs 'Read an app''s output'
            cand start 'Start an app'
            cand stop 'Stop an app'
            cand delete 'Delete an app'
            cand rm 'Delete an app'
            cand set-label 'Set or remove a label of an app'
            cand set-image 'Change an app''s image'
            cand scale 'Change an app''s number of replicas'
            cand update 'Change an app''s environment or ports'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ovhai;app;run'= {
            cand -n 'Name for people; generated when not given'
            cand --name 'Name for people; generated when not given'
            cand -l 'Label, may be repeated; labels that begin with ovh/ are the platform''s'
            cand --label 'Label, may be repeated; labels that begin with ovh/ are the platform''s'
            cand -e 'Environment variable, may be repeated'
            cand --env 'Environment variable, may be repeated'
            cand -p 'Port that the app listens on [default: 8080]'
            cand --default-http-port 'Port that the app listens on [default: 8080]'
            cand --port 'Port that the app listens on [default: 8080]'
            cand --grpc-port 'Port that speaks gRPC'
            cand -g 'GPU units'
            cand --gpu 'GPU units'
            cand -c 'CPU units; ignored with --gpu'
            cand --cpu 'CPU units; ignored with --gpu'
            cand -f 'Flavor'
            cand --flavor 'Flavor'
            cand --replicas 'Fixed number of replicas, 1 to 10 [default: 1]'
            cand --auto-min-replicas 'Smallest number of replicas of automatic scaling'
            cand --auto-max-replicas 'Largest number of replicas of automatic scaling'
            cand --auto-resource-type 'What automatic scaling looks at: CPU or RAM [default: CPU]'
            cand --auto-resource-usage-threshold 'Use at which automatic scaling adds replicas, in per cent [default: 75]'
            cand --probe-path 'Path of the probe [default: /]'
            cand --probe-port 'Port of the probe [default: the app''s own]'
            cand --runtime 'Emulator only: what runs the app (builtin, process, container)'
            cand --workdir 'Emulator only: directory of a local process [default: this one]'
            cand --wait 'Wait until it is done, at most this long (such as 90s or 5m)'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand --unsecure-http 'Open the app to everybody, without a token'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;app;create'= {
            cand -n 'Name for people; generated when not given'
            cand --name 'Name for people; generated when not given'
            cand -l 'Label, may be repeated; labels that begin with ovh/ are the platform''s'
            cand --label 'Label, may be repeated; labels that begin with ovh/ are the platform''s'
            cand -e 'Environment variable, may be repeated'
            cand --env 'Environment variable, may be repeated'
            cand -p 'Port that the app listens on [default: 8080]'
            cand --default-http-port 'Port that the app listens on [default: 8080]'
            cand --port 'Port that the app listens on [default: 8080]'
            cand --grpc-port 'Port that speaks gRPC'
            cand -g 'GPU units'
            cand --gpu 'GPU units'
            cand -c 'CPU units; ignored with --gpu'
            cand --cpu 'CPU units; ignored with --gpu'
            cand -f 'Flavor'
            cand --flavor 'Flavor'
            cand --replicas 'Fixed number of replicas, 1 to 10 [default: 1]'
            cand --auto-min-replicas 'Smallest number of replicas of automatic scaling'
            cand --auto-max-replicas 'Largest number of replicas of automatic scaling'
            cand --auto-resource-type 'What automatic scaling looks at: CPU or RAM [default: CPU]'
            cand --auto-resource-usage-threshold 'Use at which automatic scaling adds replicas, in per cent [default: 75]'
            cand --probe-path 'Path of the probe [default: /]'
            cand --probe-port 'Port of the probe [default: the app''s own]'
            cand --runtime 'Emulator only: what runs the app (builtin, process, container)'
            cand --workdir 'Emulator only: directory of a local process [default: this one]'
            cand --wait 'Wait until it is done, at most this long (such as 90s or 5m)'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand --unsecure-http 'Open the app to everybody, without a token'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;apps;run'= {
            cand -n 'Name for people; generated when not given'
            cand --name 'Name for people; generated when not given'
            cand -l 'Label, may be repeated; labels that begin with ovh/ are the platform''s'
            cand --label 'Label, may be repeated; labels that begin with ovh/ are the platform''s'
            cand -e 'Environment variable, may be repeated'
            cand --env 'Environment variable, may be repeated'
            cand -p 'Port that the app listens on [default: 8080]'
            cand --default-http-port 'Port that the app listens on [default: 8080]'
            cand --port 'Port that the app listens on [default: 8080]'
            cand --grpc-port 'Port that speaks gRPC'
            cand -g 'GPU units'
            cand --gpu 'GPU units'
            cand -c 'CPU units; ignored with --gpu'
            cand --cpu 'CPU units; ignored with --gpu'
            cand -f 'Flavor'
            cand --flavor 'Flavor'
            cand --replicas 'Fixed number of replicas, 1 to 10 [default: 1]'
            cand --auto-min-replicas 'Smallest number of replicas of automatic scaling'
            cand --auto-max-replicas 'Largest number of replicas of automatic scaling'
            cand --auto-resource-type 'What automatic scaling looks at: CPU or RAM [default: CPU]'
            cand --auto-resource-usage-threshold 'Use at which automatic scaling adds replicas, in per cent [default: 75]'
            cand --probe-path 'Path of the probe [default: /]'
            cand --probe-port 'Port of the probe [default: the app''s own]'
            cand --runtime 'Emulator only: what runs the app (builtin, process, container)'
            cand --workdir 'Emulator only: directory of a local process [default: this one]'
            cand --wait 'Wait until it is done, at most this long (such as 90s or 5m)'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand --unsecure-http 'Open the app to everybody, without a token'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;apps;create'= {
            cand -n 'Name for people; generated when not given'
            cand --name 'Name for people; generated when not given'
            cand -l 'Label, may be repeated; labels that begin with ovh/ are the platform''s'
            cand --label 'Label, may be repeated; labels that begin with ovh/ are the platform''s'
            cand -e 'Environment variable, may be repeated'
            cand --env 'Environment variable, may be repeated'
            cand -p 'Port that the app listens on [default: 8080]'
            cand --default-http-port 'Port that the app listens on [default: 8080]'
            cand --port 'Port that the app listens on [default: 8080]'
            cand --grpc-port 'Port that speaks gRPC'
            cand -g 'GPU units'
            cand --gpu 'GPU units'
            cand -c 'CPU units; ignored with --gpu'
            cand --cpu 'CPU units; ignored with --gpu'
            cand -f 'Flavor'
            cand --flavor 'Flavor'
            cand --replicas 'Fixed number of replicas, 1 to 10 [default: 1]'
            cand --auto-min-replicas 'Smallest number of replicas of automatic scaling'
            cand --auto-max-replicas 'Largest number of replicas of automatic scaling'
            cand --auto-resource-type 'What automatic scaling looks at: CPU or RAM [default: CPU]'
            cand --auto-resource-usage-threshold 'Use at which automatic scaling adds replicas, in per cent [default: 75]'
            cand --probe-path 'Path of the probe [default: /]'
            cand --probe-port 'Port of the probe [default: the app''s own]'
            cand --runtime 'Emulator only: what runs the app (builtin, process, container)'
            cand --workdir 'Emulator only: directory of a local process [default: this one]'
            cand --wait 'Wait until it is done, at most this long (such as 90s or 5m)'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand --unsecure-http 'Open the app to everybody, without a token'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;app;list'= {
            cand --selector 'Only apps that satisfy this label selector, such as group=A,team!=b'
            cand -l 'Only apps with this label, may be repeated'
            cand --label 'Only apps with this label, may be repeated'
            cand -s 'Only apps in these states, with commas between them'
            cand --state 'Only apps in these states, with commas between them'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -a 'All apps; stopped and failed ones are shown anyway'
            cand --all 'All apps; stopped and failed ones are shown anyway'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;app;ls'= {
            cand --selector 'Only apps that satisfy this label selector, such as group=A,team!=b'
            cand -l 'Only apps with this label, may be repeated'
            cand --label 'Only apps with this label, may be repeated'
            cand -s 'Only apps in these states, with commas between them'
            cand --state 'Only apps in these states, with commas between them'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -a 'All apps; stopped and failed ones are shown anyway'
            cand --all 'All apps; stopped and failed ones are shown anyway'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;apps;list'= {
            cand --selector 'Only apps that satisfy this label selector, such as group=A,team!=b'
            cand -l 'Only apps with this label, may be repeated'
            cand --label 'Only apps with this label, may be repeated'
            cand -s 'Only apps in these states, with commas between them'
            cand --state 'Only apps in these states, with commas between them'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -a 'All apps; stopped and failed ones are shown anyway'
            cand --all 'All apps; stopped and failed ones are shown anyway'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;apps;ls'= {
            cand --selector 'Only apps that satisfy this label selector, such as group=A,team!=b'
            cand -l 'Only apps with this label, may be repeated'
            cand --label 'Only apps with this label, may be repeated'
            cand -s 'Only apps in these states, with commas between them'
            cand --state 'Only apps in these states, with commas between them'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -a 'All apps; stopped and failed ones are shown anyway'
            cand --all 'All apps; stopped and failed ones are shown anyway'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;app;get'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;apps;get'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;app;curl'= {
            cand -X 'Method [default: GET, or POST with --data]'
            cand --request 'Method [default: GET, or POST with --data]'
            cand -H 'Header, may be repeated'
            cand --header 'Header, may be repeated'
            cand -d 'Body'
            cand --data 'Body'
            cand --data-raw 'Body'
            cand --as 'Use this stored token (name or id)'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -i 'Show status and headers before the body'
            cand --include 'Show status and headers before the body'
            cand --fail 'End with exit code 22, and without the body, when the answer is an error'
            cand --no-auth 'Send no token'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;apps;curl'= {
            cand -X 'Method [default: GET, or POST with --data]'
            cand --request 'Method [default: GET, or POST with --data]'
            cand -H 'Header, may be repeated'
            cand --header 'Header, may be repeated'
            cand -d 'Body'
            cand --data 'Body'
            cand --data-raw 'Body'
            cand --as 'Use this stored token (name or id)'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -i 'Show status and headers before the body'
            cand --include 'Show status and headers before the body'
            cand --fail 'End with exit code 22, and without the body, when the answer is an error'
            cand --no-auth 'Send no token'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;app;logs'= {
            cand --tail 'Only the last so many lines'
            cand --replica 'Only of the replica with this number'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -f 'Go on with what is written from now on'
            cand --follow 'Go on with what is written from now on'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;apps;logs'= {
            cand --tail 'Only the last so many lines'
            cand --replica 'Only of the replica with this number'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -f 'Go on with what is written from now on'
            cand --follow 'Go on with what is written from now on'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;app;start'= {
            cand --wait 'Wait until it is done, at most this long (such as 90s or 5m)'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;apps;start'= {
            cand --wait 'Wait until it is done, at most this long (such as 90s or 5m)'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;app;stop'= {
            cand --wait 'Wait until it is done, at most this long (such as 90s or 5m)'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;apps;stop'= {
            cand --wait 'Wait until it is done, at most this long (such as 90s or 5m)'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;app;delete'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand --force 'End it at once, and do not ask'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;app;rm'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand --force 'End it at once, and do not ask'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;apps;delete'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand --force 'End it at once, and do not ask'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;apps;rm'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand --force 'End it at once, and do not ask'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;app;set-label'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;apps;set-label'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;app;set-image'= {
            cand --wait 'Wait until it is done, at most this long (such as 90s or 5m)'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;apps;set-image'= {
            cand --wait 'Wait until it is done, at most this long (such as 90s or 5m)'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;app;scale'= {
            cand --replicas 'Number of replicas, 1 to 10'
            cand --wait 'Wait until it is done, at most this long (such as 90s or 5m)'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;apps;scale'= {
            cand --replicas 'Number of replicas, 1 to 10'
            cand --wait 'Wait until it is done, at most this long (such as 90s or 5m)'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;app;update'= {
            cand -e 'Environment variable to set, may be repeated'
            cand --env 'Environment variable to set, may be repeated'
            cand -p 'Port that the app listens on'
            cand --default-http-port 'Port that the app listens on'
            cand --port 'Port that the app listens on'
            cand --grpc-port 'Port that speaks gRPC'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;apps;update'= {
            cand -e 'Environment variable to set, may be repeated'
            cand --env 'Environment variable to set, may be repeated'
            cand -p 'Port that the app listens on'
            cand --default-http-port 'Port that the app listens on'
            cand --port 'Port that the app listens on'
            cand --grpc-port 'Port that speaks gRPC'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;app;help'= {
            cand run 'Submit an app'
            cand list 'List apps'
            cand get 'Show an app'
            cand curl 'Send a request to an app, with a stored token'
            cand logs 'Read an app''s output'
            cand start 'Start an app'
            cand stop 'Stop an app'
            cand delete 'Delete an app'
            cand set-label 'Set or remove a label of an app'
            cand set-image 'Change an app''s image'
            cand scale 'Change an app''s number of replicas'
            cand update 'Change an app''s environment or ports'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ovhai;app;help;run'= {
        }
        &'ovhai;app;help;list'= {
        }
        &'ovhai;app;help;get'= {
        }
        &'ovhai;app;help;curl'= {
        }
        &'ovhai;app;help;logs'= {
        }
        &'ovhai;app;help;start'= {
        }
        &'ovhai;app;help;stop'= {
        }
        &'ovhai;app;help;delete'= {
        }
        &'ovhai;app;help;set-label'= {
        }
        &'ovhai;app;help;set-image'= {
        }
        &'ovhai;app;help;scale'= {
        }
        &'ovhai;app;help;update'= {
        }
        &'ovhai;app;help;help'= {
        }
        &'ovhai;apps;help'= {
            cand run 'Submit an app'
            cand list 'List apps'
            cand get 'Show an app'
            cand curl 'Send a request to an app, with a stored token'
            cand logs 'Read an app''s output'
            cand start 'Start an app'
            cand stop 'Stop an app'
            cand delete 'Delete an app'
            cand set-label 'Set or remove a label of an app'
            cand set-image 'Change an app''s image'
            cand scale 'Change an app''s number of replicas'
            cand update 'Change an app''s environment or ports'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ovhai;apps;help;run'= {
        }
        &'ovhai;apps;help;list'= {
        }
        &'ovhai;apps;help;get'= {
        }
        &'ovhai;apps;help;curl'= {
        }
        &'ovhai;apps;help;logs'= {
        }
        &'ovhai;apps;help;start'= {
        }
        &'ovhai;apps;help;stop'= {
        }
        &'ovhai;apps;help;delete'= {
        }
        &'ovhai;apps;help;set-label'= {
        }
        &'ovhai;apps;help;set-image'= {
        }
        &'ovhai;apps;help;scale'= {
        }
        &'ovhai;apps;help;update'= {
        }
        &'ovhai;apps;help;help'= {
        }
        &'ovhai;token'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand new 'Make a token; its string is shown once, and stored'
            cand create 'Make a token; its string is shown once, and stored'
            cand list 'List tokens; their strings are never shown'
            cand ls 'List tokens; their strings are never shown'
            cand get 'Show a token, without its string'
            cand regenerate 'Give a token a new string; the old one stops working at once'
            cand renew 'Give a token a new string; the old one stops working at once'
            cand delete 'Delete a token; its string stops working at once'
            cand rm 'Delete a token; its string stops working at once'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ovhai;tokens'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand new 'Make a token; its string is shown once, and stored'
            cand create 'Make a token; its string is shown once, and stored'
            cand list 'List tokens; their strings are never shown'
            cand ls 'List tokens; their strings are never shown'
            cand get 'Show a token, without its string'
            cand regenerate 'Give a token a new string; the old one stops working at once'
            cand renew 'Give a token a new string; the old one stops working at once'
            cand delete 'Delete a token; its string stops working at once'
            cand rm 'Delete a token; its string stops working at once'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ovhai;token;new'= {
            cand -r 'What it may do: read (query the apps) or operator (manage them too)'
            cand --role 'What it may do: read (query the apps) or operator (manage them too)'
            cand -l 'Which apps it is for, now and later; without one: all of the region'
            cand --selector 'Which apps it is for, now and later; without one: all of the region'
            cand --label-selector 'Which apps it is for, now and later; without one: all of the region'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;token;create'= {
            cand -r 'What it may do: read (query the apps) or operator (manage them too)'
            cand --role 'What it may do: read (query the apps) or operator (manage them too)'
            cand -l 'Which apps it is for, now and later; without one: all of the region'
            cand --selector 'Which apps it is for, now and later; without one: all of the region'
            cand --label-selector 'Which apps it is for, now and later; without one: all of the region'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;tokens;new'= {
            cand -r 'What it may do: read (query the apps) or operator (manage them too)'
            cand --role 'What it may do: read (query the apps) or operator (manage them too)'
            cand -l 'Which apps it is for, now and later; without one: all of the region'
            cand --selector 'Which apps it is for, now and later; without one: all of the region'
            cand --label-selector 'Which apps it is for, now and later; without one: all of the region'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;tokens;create'= {
            cand -r 'What it may do: read (query the apps) or operator (manage them too)'
            cand --role 'What it may do: read (query the apps) or operator (manage them too)'
            cand -l 'Which apps it is for, now and later; without one: all of the region'
            cand --selector 'Which apps it is for, now and later; without one: all of the region'
            cand --label-selector 'Which apps it is for, now and later; without one: all of the region'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;token;list'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;token;ls'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;tokens;list'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;tokens;ls'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;token;get'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;tokens;get'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;token;regenerate'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;token;renew'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;tokens;regenerate'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;tokens;renew'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;token;delete'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;token;rm'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;tokens;delete'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;tokens;rm'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;token;help'= {
            cand new 'Make a token; its string is shown once, and stored'
            cand list 'List tokens; their strings are never shown'
            cand get 'Show a token, without its string'
            cand regenerate 'Give a token a new string; the old one stops working at once'
            cand delete 'Delete a token; its string stops working at once'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ovhai;token;help;new'= {
        }
        &'ovhai;token;help;list'= {
        }
        &'ovhai;token;help;get'= {
        }
        &'ovhai;token;help;regenerate'= {
        }
        &'ovhai;token;help;delete'= {
        }
        &'ovhai;token;help;help'= {
        }
        &'ovhai;tokens;help'= {
            cand new 'Make a token; its string is shown once, and stored'
            cand list 'List tokens; their strings are never shown'
            cand get 'Show a token, without its string'
            cand regenerate 'Give a token a new string; the old one stops working at once'
            cand delete 'Delete a token; its string stops working at once'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ovhai;tokens;help;new'= {
        }
        &'ovhai;tokens;help;list'= {
        }
        &'ovhai;tokens;help;get'= {
        }
        &'ovhai;tokens;help;regenerate'= {
        }
        &'ovhai;tokens;help;delete'= {
        }
        &'ovhai;tokens;help;help'= {
        }
        &'ovhai;me'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;emulator'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand start 'Start an emulator of AI Deploy'
            cand status 'Show whether one runs, and where'
            cand stop 'Stop it'
            cand logs 'Show its log, when it runs in the background'
            cand openapi 'Print the OpenAPI document of its API'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ovhai;emu'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand start 'Start an emulator of AI Deploy'
            cand status 'Show whether one runs, and where'
            cand stop 'Stop it'
            cand logs 'Show its log, when it runs in the background'
            cand openapi 'Print the OpenAPI document of its API'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ovhai;emulator;start'= {
            cand -p 'Port; 0 lets the system choose [env: `OVHAI_PORT`] [default: 4480]'
            cand --port 'Port; 0 lets the system choose [env: `OVHAI_PORT`] [default: 4480]'
            cand --host 'Address to listen on; anything but loopback lets other machines in'
            cand --regions 'Regions, with commas between them; the first is the default'
            cand --runtime 'What runs apps that say nothing themselves and are not built in'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -d 'Go on in the background'
            cand --detach 'Go on in the background'
            cand --ephemeral 'Keep nothing: no directory, no database'
            cand --background 'This is the process in the background'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;emu;start'= {
            cand -p 'Port; 0 lets the system choose [env: `OVHAI_PORT`] [default: 4480]'
            cand --port 'Port; 0 lets the system choose [env: `OVHAI_PORT`] [default: 4480]'
            cand --host 'Address to listen on; anything but loopback lets other machines in'
            cand --regions 'Regions, with commas between them; the first is the default'
            cand --runtime 'What runs apps that say nothing themselves and are not built in'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -d 'Go on in the background'
            cand --detach 'Go on in the background'
            cand --ephemeral 'Keep nothing: no directory, no database'
            cand --background 'This is the process in the background'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;emulator;status'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;emu;status'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;emulator;stop'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;emu;stop'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;emulator;logs'= {
            cand --tail 'Only the last so many lines'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -f 'Go on with what is written from now on'
            cand --follow 'Go on with what is written from now on'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;emu;logs'= {
            cand --tail 'Only the last so many lines'
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -f 'Go on with what is written from now on'
            cand --follow 'Go on with what is written from now on'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;emulator;openapi'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;emu;openapi'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;emulator;help'= {
            cand start 'Start an emulator of AI Deploy'
            cand status 'Show whether one runs, and where'
            cand stop 'Stop it'
            cand logs 'Show its log, when it runs in the background'
            cand openapi 'Print the OpenAPI document of its API'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ovhai;emulator;help;start'= {
        }
        &'ovhai;emulator;help;status'= {
        }
        &'ovhai;emulator;help;stop'= {
        }
        &'ovhai;emulator;help;logs'= {
        }
        &'ovhai;emulator;help;openapi'= {
        }
        &'ovhai;emulator;help;help'= {
        }
        &'ovhai;emu;help'= {
            cand start 'Start an emulator of AI Deploy'
            cand status 'Show whether one runs, and where'
            cand stop 'Stop it'
            cand logs 'Show its log, when it runs in the background'
            cand openapi 'Print the OpenAPI document of its API'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ovhai;emu;help;start'= {
        }
        &'ovhai;emu;help;status'= {
        }
        &'ovhai;emu;help;stop'= {
        }
        &'ovhai;emu;help;logs'= {
        }
        &'ovhai;emu;help;openapi'= {
        }
        &'ovhai;emu;help;help'= {
        }
        &'ovhai;demo'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;completion'= {
            cand --token 'Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]'
            cand --region 'Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator''s first]'
            cand -o 'How to show the result'
            cand --output 'How to show the result'
            cand --state-dir 'State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]'
            cand -q 'Say nothing but the result'
            cand --quiet 'Say nothing but the result'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'ovhai;help'= {
            cand app 'Run, see, change and query apps'
            cand token 'Make, see, regenerate and delete application tokens'
            cand me 'Show who you are and what you may use'
            cand emulator 'Start, stop and look at the local emulator'
            cand demo 'Walk through labels, tokens and access in a minute, for real'
            cand completion 'Print the completion script of a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ovhai;help;app'= {
            cand run 'Submit an app'
            cand list 'List apps'
            cand get 'Show an app'
            cand curl 'Send a request to an app, with a stored token'
            cand logs 'Read an app''s output'
            cand start 'Start an app'
            cand stop 'Stop an app'
            cand delete 'Delete an app'
            cand set-label 'Set or remove a label of an app'
            cand set-image 'Change an app''s image'
            cand scale 'Change an app''s number of replicas'
            cand update 'Change an app''s environment or ports'
        }
        &'ovhai;help;app;run'= {
        }
        &'ovhai;help;app;list'= {
        }
        &'ovhai;help;app;get'= {
        }
        &'ovhai;help;app;curl'= {
        }
        &'ovhai;help;app;logs'= {
        }
        &'ovhai;help;app;start'= {
        }
        &'ovhai;help;app;stop'= {
        }
        &'ovhai;help;app;delete'= {
        }
        &'ovhai;help;app;set-label'= {
        }
        &'ovhai;help;app;set-image'= {
        }
        &'ovhai;help;app;scale'= {
        }
        &'ovhai;help;app;update'= {
        }
        &'ovhai;help;token'= {
            cand new 'Make a token; its string is shown once, and stored'
            cand list 'List tokens; their strings are never shown'
            cand get 'Show a token, without its string'
            cand regenerate 'Give a token a new string; the old one stops working at once'
            cand delete 'Delete a token; its string stops working at once'
        }
        &'ovhai;help;token;new'= {
        }
        &'ovhai;help;token;list'= {
        }
        &'ovhai;help;token;get'= {
        }
        &'ovhai;help;token;regenerate'= {
        }
        &'ovhai;help;token;delete'= {
        }
        &'ovhai;help;me'= {
        }
        &'ovhai;help;emulator'= {
            cand start 'Start an emulator of AI Deploy'
            cand status 'Show whether one runs, and where'
            cand stop 'Stop it'
            cand logs 'Show its log, when it runs in the background'
            cand openapi 'Print the OpenAPI document of its API'
        }
        &'ovhai;help;emulator;start'= {
        }
        &'ovhai;help;emulator;status'= {
        }
        &'ovhai;help;emulator;stop'= {
        }
        &'ovhai;help;emulator;logs'= {
        }
        &'ovhai;help;emulator;openapi'= {
        }
        &'ovhai;help;demo'= {
        }
        &'ovhai;help;completion'= {
        }
        &'ovhai;help;help'= {
        }
    ]
    $completions[$command]
}
