//! Commands in replicas: which replica, who may, and when they end.

use ovhai_api_types::{AppState, LabelUpdate, Placement, TokenSpec};
use ovhai_core::platform::StartedExec;
use ovhai_core::policy::{Action, Effect, Principal};
use ovhai_core::ports::{ExecOutput, ExecTask};
use ovhai_core::replica::ExitStatus;
use ovhai_core::{Error, Result, Settings};
use ovhai_runtime::SimRuntime;
use ovhai_store::MemoryStore;

use crate::harness::World;

fn command(words: &[&str]) -> ExecTask {
    let command = words.iter().map(|word| (*word).to_owned()).collect();
    ExecTask::Command { command, terminal: None, has_input: true }
}

fn effect(result: Result<StartedExec>) -> Effect {
    match result {
        Ok(_) => Effect::Allow,
        Err(Error::Denied(decision)) => decision.effect,
        Err(Error::NotFound { .. }) => Effect::OutOfScope,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_runs_in_the_replica_that_is_named_or_in_the_first_ready_one() {
    let w = World::step_by_step().await;
    w.sim.run_as(Placement::Container);
    let replicas = r#"{"image":"a","scalingStrategy":{"fixed":{"replicas":3}}}"#;
    let id = w.submit(replicas).await;
    let exec = |ordinal| w.platform.exec(&w.admin, &w.gra, id, ordinal, command(&["x"]));
    w.settle().await;
    let said = exec(None).unwrap_err().to_string();
    assert!(said.contains("can be named: 1, 2, 3"), "{said}");
    // One that does not answer can be looked into.
    assert_eq!(exec(Some(2)).unwrap().replica.ordinal, 2);
    w.sim.ready(3);
    w.settle().await;
    assert_eq!(exec(None).unwrap().replica.ordinal, 3);
    assert!(matches!(exec(Some(4)), Err(Error::NotFound { kind: "running replica", .. })));
    assert_eq!(w.sim.execs().len(), 2);

    let mut session = exec(Some(3)).unwrap().session;
    session.input.as_ref().unwrap().send(b"in".to_vec()).await.unwrap();
    assert_eq!(session.output.recv().await, Some(ExecOutput::Stdout(b"in".to_vec())));
    session.input = None;
    let end = ExecOutput::Ended(ExitStatus::Code(0));
    assert_eq!(session.output.recv().await, Some(end));

    // A replica's end is the end of its commands.
    let mut session = exec(Some(3)).unwrap().session;
    w.platform.stop_app(&w.admin, &w.gra, id).await.unwrap();
    w.pass(std::time::Duration::from_secs(6)).await;
    for number in 1..=3 {
        w.sim.finish(number);
    }
    let end = ExecOutput::Ended(ExitStatus::Signal(9));
    assert_eq!(session.output.recv().await, Some(end));
    w.becomes(id, AppState::Stopped).await;
    let said = exec(None).unwrap_err().to_string();
    assert!(said.contains("no running replica: its state is STOPPED"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn what_a_replica_runs_as_decides_who_may() {
    use Effect::{Allow, Forbidden, OutOfScope};
    for (token_exec, placement, operator) in [
        (false, Placement::Container, Forbidden),
        (true, Placement::Container, Allow),
        (true, Placement::Process, Forbidden),
    ] {
        let sim = SimRuntime::automatic(([127, 0, 0, 1], 9).into());
        sim.run_as(placement);
        let settings = Settings { token_exec, ..Settings::default() };
        let w = World::set(sim, std::sync::Arc::new(MemoryStore::new()), settings).await;
        let id = w.submit(r#"{"image":"a","labels":{"group":"A"}}"#).await;
        w.becomes(id, AppState::Running).await;
        let exec =
            |caller: &Principal| effect(w.platform.exec(caller, &w.gra, id, None, command(&["x"])));
        assert_eq!(exec(&w.admin), Allow);
        assert_eq!(exec(&w.operator().await), operator);
        let other = TokenSpec {
            name: "op".into(),
            role: "operator".into(),
            label_selector: Some("group=B".into()),
        };
        let made = w.platform.create_token(&w.admin, &w.gra, &other).await.unwrap();
        let other = exec(&Principal::Token(made.record));
        assert_eq!(other, if token_exec { OutOfScope } else { Forbidden });
    }
}

#[tokio::test(start_paused = true)]
async fn access_is_asked_for_again() {
    let sim = SimRuntime::automatic(([127, 0, 0, 1], 9).into());
    let settings = Settings { token_exec: true, ..Settings::default() };
    let w = World::set(sim, std::sync::Arc::new(MemoryStore::new()), settings).await;
    let id = w.submit(r#"{"image":"a","labels":{"group":"A"}}"#).await;
    let spec = TokenSpec {
        name: "op".into(),
        role: "operator".into(),
        label_selector: Some("group=A".into()),
    };
    let token = w.platform.create_token(&w.admin, &w.gra, &spec).await.unwrap().record;
    let caller = Principal::Token(token);
    let allows = |action| w.platform.still_allows(&caller, action, id);
    assert!(allows(Action::TokenExec) && !allows(Action::Exec) && !allows(Action::ExecProcess));
    let other = [LabelUpdate { name: "group".into(), value: Some("B".into()) }];
    w.platform.label_app(&w.admin, &w.gra, id, &other).await.unwrap();
    assert!(!allows(Action::TokenExec));
}

#[tokio::test(start_paused = true)]
async fn a_runtime_without_commands_says_so() {
    let w = World::automatic().await;
    let id = w.submit(r#"{"image":"a"}"#).await;
    w.becomes(id, AppState::Running).await;
    let refused = w.platform.exec(&w.admin, &w.gra, id, None, command(&["x"]));
    assert!(matches!(refused, Err(Error::NotSupported(_))), "{refused:?}");
}
