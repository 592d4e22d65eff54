//! The supervisor over doubles that do what a test says.

use super::backoff::Rests;
use super::*;
use crate::config::meant::{LogFilter, SystemLog, Way};
use crate::source::clock::SystemClock;
use async_trait::async_trait;
use rstest::rstest;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What a start comes to.
#[derive(Debug, Clone, Copy)]
enum Step {
    Panics,
    Ends,
    Fails,
    /// Works until it is told to stop.
    Works,
    /// Works, and hears nothing.
    IsDeaf,
}

#[derive(Debug, Default)]
struct Double {
    name: &'static str,
    steps: Mutex<VecDeque<Step>>,
    starts: AtomicUsize,
    is_silent: AtomicBool,
    has_stopped: AtomicBool,
}

impl Double {
    fn new(name: &'static str, steps: impl Into<VecDeque<Step>>) -> Arc<Double> {
        Arc::new(Double { name, steps: Mutex::new(steps.into()), ..Double::default() })
    }

    fn starts(&self) -> usize {
        self.starts.load(Ordering::SeqCst)
    }
}

/// A double and how long it rests.
#[derive(Debug)]
struct Resting(Arc<Double>, Duration);

#[async_trait]
impl Post for Resting {
    fn health(&self) -> Vec<SourceHealth> {
        assert!(!self.0.is_silent.load(Ordering::SeqCst), "it cannot say how it is");
        let mut health = SourceHealth::new(self.0.name.into(), "okta-system-log", "acme.okta.com");
        health.state = SourceState::Running;
        vec![health]
    }

    fn rests(&self) -> Rests {
        Rests { shortest: self.1, longest: self.1 }
    }

    fn stored(&self, _began: Timestamp) {}

    async fn work(&self, standing: &Standing, mut stop: watch::Receiver<bool>) -> Result<(), String> {
        self.0.starts.fetch_add(1, Ordering::SeqCst);
        let step = self.0.steps.lock().unwrap().pop_front().unwrap_or(Step::Works);
        match step {
            Step::Panics => panic!("as the test says"),
            Step::Ends => return Ok(()),
            Step::Fails => return Err("401".to_owned()),
            Step::Works => standing.up(),
            Step::IsDeaf => {
                standing.up();
                std::future::pending::<()>().await;
            }
        }
        until_told(&mut stop).await;
        self.0.has_stopped.store(true, Ordering::SeqCst);
        Ok(())
    }
}

const NEVER: Duration = Duration::from_secs(3_600);

fn source(name: &str) -> Source {
    let log = SystemLog { filter: LogFilter::Everything, first_fetch: NEVER, interval: NEVER };
    Source { name: name.into(), source_type: "okta-system-log", way: Way::SystemLog(log), canary: None }
}

/// A supervisor that runs, and how to stop it.
struct Running {
    supervisor: Arc<Supervisor>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn over(doubles: &[&Arc<Double>], rest: Duration) -> Running {
        let posts = doubles.iter().map(|double| Box::new(Resting((*double).clone(), rest)) as Box<dyn Post>);
        let sources = doubles.iter().rev().map(|double| source(double.name)).collect();
        let supervisor = Supervisor::of(posts, sources, Arc::new(SystemClock));
        let supervisor = Arc::new(Supervisor { stop_time: Duration::from_millis(50), ..supervisor });
        let (stop, stopped) = watch::channel(false);
        let runs = supervisor.clone();
        let task = tokio::spawn(async move { runs.run(stopped).await });
        Running { supervisor, stop, task }
    }

    /// How one is now.
    fn state(&self, name: &str) -> SourceHealth {
        let found = self.supervisor.snapshot().iter().find(|health| health.name.0 == name).cloned();
        found.unwrap()
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Running) -> bool) {
        let waiting = async {
            while !is_so(self) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(60), waiting).await.is_ok(), "waited for {what}");
    }

    async fn stopped(self) -> Arc<Supervisor> {
        self.stop.send(true).unwrap();
        tokio::time::timeout(Duration::from_secs(60), self.task).await.unwrap().unwrap();
        self.supervisor
    }
}

#[rstest]
#[case(Step::Panics, BROKE)]
#[case(Step::Ends, ENDED)]
#[case(Step::Fails, "401")]
#[tokio::test(flavor = "multi_thread")]
async fn one_that_falls_is_red_and_touches_no_other(#[case] step: Step, #[case] why: &str) {
    let (falls, works) = (Double::new("falls", [step]), Double::new("works", []));
    let running = Running::over(&[&falls, &works], NEVER);
    let is_down = |running: &Running| running.state("falls").state == SourceState::failed(why);
    running.until("a fall", is_down).await;
    let down = running.state("falls");
    assert!(down.again.unwrap() > Timestamp::now() && down.since.is_some());
    running.until("the other one", |_| works.starts() == 1).await;
    assert_eq!(running.state("works").state, SourceState::Running);
    running.until("it to be known", |it| it.supervisor.receiver() == Some(Receiver::ThisConsole)).await;
    running.stopped().await;
    assert!(works.has_stopped.load(Ordering::SeqCst));
    assert_eq!((falls.starts(), works.starts()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_falls_is_started_again_until_it_works() {
    let steps = [Step::Panics, Step::Ends, Step::Fails, Step::Panics];
    let falls = Double::new("falls", steps);
    let running = Running::over(&[&falls], Duration::from_millis(1));
    running
        .until("a good start", |running| falls.starts() == 5 && running.state("falls").again.is_none())
        .await;
    assert_eq!(running.state("falls").state, SourceState::Running);
    running.stopped().await;
    assert_eq!(falls.starts(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_told_to_all_and_waits_for_nobody_for_ever() {
    let (deaf, falls, works) =
        (Double::new("deaf", [Step::IsDeaf]), Double::new("falls", [Step::Fails]), Double::new("works", []));
    let running = Running::over(&[&deaf, &falls, &works], NEVER);
    running.until("all to have begun", |_| deaf.starts() + falls.starts() + works.starts() == 3).await;
    let supervisor = running.stopped().await;
    assert!(works.has_stopped.load(Ordering::SeqCst) && !deaf.has_stopped.load(Ordering::SeqCst));
    let told = supervisor.snapshot();
    assert!(told.iter().all(|health| health.state == SourceState::Stopped), "{told:?}");
    let names: Vec<&str> = told.iter().map(|health| health.name.0.as_str()).collect();
    assert_eq!(names, ["works", "falls", "deaf"], "in the order of the configuration");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_say_how_it_is_is_told_as_it_was() {
    let (mute, works) = (Double::new("mute", []), Double::new("works", []));
    let running = Running::over(&[&mute, &works], NEVER);
    assert_eq!(running.state("mute").state, SourceState::Running);
    mute.is_silent.store(true, Ordering::SeqCst);
    assert_eq!(running.state("mute").state, SourceState::Running);
    assert_eq!(running.supervisor.snapshot().len(), 2);
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_receives_where_all_fell() {
    let (one, other) = (Double::new("one", [Step::Fails]), Double::new("other", [Step::Ends]));
    let running = Running::over(&[&one, &other], NEVER);
    let nobody = Some(Receiver::Nobody("401".into()));
    running.until("both to fall", |running| running.supervisor.receiver() == nobody).await;
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_source_that_nothing_asks_for_is_no_silence() {
    let supervisor = Supervisor::of([], vec![source("log")], Arc::new(SystemClock));
    assert_eq!(supervisor.snapshot()[0].state, SourceState::failed(NOBODY_ASKS));
    assert_eq!(supervisor.receiver(), Some(Receiver::Nobody(NOBODY_ASKS.to_owned())));
}
