//! The command line of `POST /v1/app/command` creates the same app, for any spec.

use std::collections::BTreeMap;
use std::process::Command as Shell;

use clap::Parser;
use ovhai_api_types::*;
use ovhai_core::spec::Spec;
use ovhai_emulator::api::command_line::command_line;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::Verb;
use crate::context::Context;
use crate::line::cli::{Cli, Command};

/// The spec that the client builds from these words.
fn parse(words: &[String]) -> AppSpec {
    let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    let Command::App(command) = cli.command else { panic!("{words:?}") };
    let Verb::Run(run) = command.0.verb else { panic!("{words:?}") };
    let mut context = Context::from_process(crate::line::cli::tree);
    context.directory = "/where/the/line/is/typed".into();
    run.spec(&context).unwrap_or_else(|error| panic!("{words:?}: {error:?}"))
}

fn checked(spec: &AppSpec) -> Spec {
    let spec = AppSpec { volumes: None, ..spec.clone() };
    Spec::check(&spec, |_| "generated".into()).unwrap_or_else(|error| panic!("{spec:?}: {error}"))
}

/// Labels without the platform's own.
fn labels(spec: &AppSpec) -> BTreeMap<&String, &String> {
    let all = spec.labels.iter().flatten();
    all.filter(|(key, _)| !key.starts_with("ovh/"))
        .filter_map(|(key, value)| Some((key, value.as_ref()?)))
        .collect()
}

fn assert_same(spec: &AppSpec, back: &AppSpec, line: &str) {
    assert_eq!(checked(spec), checked(back), "{line}");
    assert_eq!(labels(spec), labels(back), "{line}");
    let volumes = |spec: &AppSpec| spec.volumes.clone().unwrap_or_default();
    assert_eq!(volumes(spec), volumes(back), "{line}");
}

/// Text that is hard for shells and option parsers.
fn awkward() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{1,12}",
        "-{1,2}[a-z]{0,6}",
        "[^\\p{Cc}]{1,12}",
        Just("it's".to_owned()),
        Just("$HOME `id` \\ \"x\" ! * ? ~ #".to_owned()),
        Just("{port}".to_owned()),
        Just("=".to_owned()),
    ]
}

/// The same, and characters that only values may contain.
fn free() -> impl Strategy<Value = String> {
    prop_oneof![awkward(), Just(String::new()), "[^\\x00]{0,12}", Just("a\nb\n".to_owned())]
}

fn scaling() -> impl Strategy<Value = ScalingStrategy> {
    let seconds = || option::of(0..=3600i64);
    let custom = (
        "https?://(<SELF>|[a-z]{1,8})[!-~]{0,10}",
        prop::sample::select(CustomMetricFormat::ALL),
        awkward(),
        1..1_000_000i64,
        prop::sample::select(CustomMetricAggregationType::ALL),
    )
        .prop_map(|(api_url, format, value_location, target_value, aggregation_type)| {
            CustomMetrics { api_url, format, value_location, target_value, aggregation_type }
        });
    let automatic = (
        (1..=100i64, 0..=10i64, 1..=10i64, prop::sample::select(ScalingResourceType::ALL)),
        (seconds(), seconds(), seconds(), option::of(custom)),
    )
        .prop_map(|((target, min, max, resource), (up, down, cooldown, custom))| {
            AutomaticScalingStrategy {
                average_usage_target: target,
                replicas_max: max,
                replicas_min: min.min(max),
                resource_type: resource,
                scale_up_stabilization_window_seconds: up,
                scale_down_stabilization_window_seconds: down,
                cooldown_period_seconds: cooldown,
                custom_metrics: custom,
            }
        });
    prop_oneof![
        Just(ScalingStrategy::default()),
        (1..=10i64).prop_map(|replicas| ScalingStrategy {
            fixed: Some(FixedScalingStrategy { replicas }),
            automatic: None
        }),
        automatic.prop_map(|automatic| ScalingStrategy { fixed: None, automatic: Some(automatic) }),
    ]
}

fn deployment() -> impl Strategy<Value = AppDeploymentStrategy> {
    let amount = || option::of("([0-9]|10|[0-9]{1,2}%|100%)");
    (amount(), amount(), option::of(1..=86_400i64)).prop_map(
        |(max_surge, max_unavailable, progress_deadline_seconds)| AppDeploymentStrategy {
            max_surge,
            max_unavailable,
            progress_deadline_seconds,
        },
    )
}

fn volume() -> impl Strategy<Value = Volume> {
    let store = |part: BoxedStrategy<String>| {
        (
            part.clone(),
            part.clone(),
            option::of(part.clone()),
            option::of(part),
            option::of(any::<bool>()),
        )
            .prop_map(|(alias, container, prefix, archive, internal)| {
                DataStoreVolumeSource { alias, container, archive, internal, prefix }
            })
    };
    let plain = (store("[a-z0-9-]{1,8}".boxed()), any::<bool>()).prop_map(|(store, all)| {
        if all { store } else { DataStoreVolumeSource { archive: None, internal: None, ..store } }
    });
    let source =
        prop_oneof![plain.prop_map(Some), store(free().boxed()).prop_map(Some), Just(None)];
    let url = prop_oneof!["https://[a-z.]{1,9}(/[a-z:]{0,5}){0,2}(\\.git)?", free()];
    (
        prop_oneof!["/[a-z/]{0,9}", free()],
        prop_oneof!["RO|RW|RWD|rw", free()],
        any::<bool>(),
        source,
        option::of(url.clone()),
        option::of(url),
        (any::<bool>(), option::of(store(awkward().boxed())), option::of((free(), free()))),
    )
        .prop_map(|(mount_path, permission, cache, data_store, git, swift, more)| {
            let (standalone, target_data_store, private) = more;
            Volume {
                mount_path,
                permission,
                cache,
                data_store,
                private_swift: private.map(|(container, region)| PrivateSwiftVolumeSource {
                    container,
                    region,
                    archive: None,
                    internal: None,
                    prefix: None,
                }),
                public_git: git.map(|url| PublicGitVolumeSource { url }),
                public_swift: swift.map(|url| PublicSwiftVolumeSource { url }),
                standalone: standalone.then(StandaloneVolumeSource::default),
                target_data_store,
                target_private_swift: None,
            }
        })
}

fn spec() -> impl Strategy<Value = AppSpec> {
    let port = || option::of(1..=65_535i64);
    let image = prop_oneof!["[!-~]{1,12}", "-{1,2}[a-z]{0,6}", Just("a/b:1".to_owned())];
    let env = ("[^=\\x00]{1,8}", free()).prop_map(|(name, value)| Env { name, value });
    let label = (
        "(a\\.b/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,6}[A-Za-z0-9])?|ovh/id|ovh/x",
        option::of("([A-Za-z0-9]([A-Za-z0-9._-]{0,6}[A-Za-z0-9])?)?"),
    );
    let probe = (option::of("/[!-~é]{0,9}"), port()).prop_map(|(path, port)| Probe { path, port });
    let resources = (
        option::of(prop::sample::select(&["ai1-1-cpu", "ai1-1-gpu", "l4-1-gpu"][..])),
        option::of(0..=12i64),
        option::of(0..=4i64),
    )
        .prop_map(|(flavor, cpu, gpu)| Resources {
            flavor: flavor.map(str::to_owned),
            cpu,
            gpu,
            ..Resources::default()
        });
    // A local process without a command has no command line.
    let runtime = option::of(prop::sample::select(
        &[Placement::Builtin, Placement::Process, Placement::Container][..],
    ));
    let pull = option::of(prop::sample::select(
        &[PullPolicy::Missing, PullPolicy::Always, PullPolicy::Never][..],
    ));
    let affinity = option::of(prop::sample::select(
        &[SessionAffinity::None, SessionAffinity::Cookie, SessionAffinity::Token][..],
    ));
    (
        (image, vec(free(), 0..4), port(), option::of(deployment()), vec(env, 0..4), port()),
        (btree_map(label.0, label.1, 0..4), option::of(awkward()), option::of(probe)),
        (option::of(resources), option::of(scaling()), any::<bool>(), vec(volume(), 0..3)),
        (runtime, option::of("/[^\\x00]{0,9}"), affinity, vec("/[^\\x00]{0,9}", 0..3)),
        (pull, vec(1..=65_535i64, 0..3)),
    )
        .prop_map(|(first, second, third, fourth, (pull, publish))| {
            let (image, command, http, deployment_strategy, env, grpc_port) = first;
            let (labels, name, probe) = second;
            let (resources, scaling_strategy, unsecure_http, volumes) = third;
            let (runtime, working_directory, session_affinity, reload) = fourth;
            let runtime = runtime.filter(|r| *r != Placement::Process || !command.is_empty());
            AppSpec {
                image,
                command: Some(command),
                default_http_port: http,
                deployment_strategy,
                env_vars: Some(env),
                grpc_port,
                labels: Some(labels),
                name,
                probe,
                resources,
                scaling_strategy,
                session_affinity,
                unsecure_http,
                volumes: Some(volumes),
                volume_writeback: !unsecure_http,
                runtime,
                working_directory,
                reload: Some(reload),
                pull,
                publish: Some(publish),
            }
        })
        .prop_filter("the platform would refuse it", |spec| {
            Spec::check(&AppSpec { volumes: None, ..spec.clone() }, |_| "g".into()).is_ok()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_line_makes_the_same_app(spec in spec()) {
        let line = command_line(&spec);
        let words = shlex::split(&line).unwrap_or_else(|| panic!("{line}"));
        assert_same(&spec, &parse(&words), &line);
    }
}

/// Some of them are split by a real shell, too.
#[test]
fn a_shell_parses_the_line_to_the_same_words() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..24 {
        let tree = spec().new_tree(&mut runner).unwrap_or_else(|error| panic!("{error}"));
        let spec = proptest::strategy::ValueTree::current(&tree);
        let line = command_line(&spec);
        let script = format!("printf '%s\\0' {line}");
        let output = Shell::new("sh").args(["-c", &script]).output().expect("a shell");
        assert!(output.status.success(), "{line}");
        let text = String::from_utf8(output.stdout).expect("text");
        let words: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
        assert_same(&spec, &parse(&words), &line);
    }
}
