//! The small worlds that are searched as a whole.

use std::collections::BTreeSet;

use crate::mailbox::{Server, Service};
use crate::mails::Kind;
use crate::search::Space;
use crate::seeded::GRAPH;
use crate::stage::Op;
use crate::world::{Plan, Task};

const EXCHANGE: Server = Server {
    service: Service::Ews,
    stable_keys: true,
    new_ids: true,
    old_ids_live: false,
};

fn plan(workers: usize, kinds: &[Kind]) -> Plan {
    Plan {
        workers,
        kinds: kinds.to_vec(),
        queue: (0..kinds.len()).collect(),
        keyless: BTreeSet::new(),
        stamps: false,
        deletes: false,
        stuck: BTreeSet::new(),
        refreshes: false,
        server: EXCHANGE,
        page: 100,
        batch: 2,
        connections: 1,
        run_size: 0,
        same_name: true,
        quarantine_folder: true,
        not_logged_folder: false,
        sink: false,
        setup: false,
        restores: false,
        process_per_run: false,
        requeues: false,
        comes_and_goes: None,
        flaky: BTreeSet::new(),
    }
}

/// One worker, and faults as many as are wanted.
fn alone(name: &'static str, plan: Plan, faults: usize, leaps: &'static [i64]) -> Space {
    Space {
        name,
        plan,
        // A leap at each point makes everything that follows another state: one of them, and of three faults one more.
        faults: match faults {
            _ if leaps.is_empty() => faults,
            0..=2 => faults.min(1),
            _ => 2,
        },
        // A fault ends a run: each may come in the run that heals the one before.
        runs: faults + 1,
        leaps,
        leaps_at: None,
        most_leaps: 1,
        most_others: usize::MAX,
        faults_at: None,
        tasks: &[Task::Run],
        late: false,
    }
}

fn plan_of(kind: Kind, faults: usize, change: fn(&mut Plan)) -> Plan {
    let mut plan = plan(1, &[kind]);
    change(&mut plan);
    // What a logger remembers of a run that a fault ended is searched with two faults.
    plan.process_per_run = faults > 2;
    plan
}

/// One mail and one worker, in every kind of world.
pub(crate) fn one_mail(faults: usize) -> Vec<Space> {
    let space = |name, plan, leaps: &'static [i64]| alone(name, plan, faults, leaps);
    let with = |kind: Kind, change: fn(&mut Plan)| plan_of(kind, faults, change);
    let mut all = worlds(space, with);
    all.extend(stamped_and_deleted(faults));
    all.extend(over_graph(faults));
    all.extend(coming_late(faults));
    all.extend(other_tasks(faults));
    if faults > 1 {
        all.extend(two_batches());
    }
    all.push(space(
        "a set-up that is stored",
        with(Kind::Plain, |plan| plan.setup = true),
        &[],
    ));
    // The leap is the first of two faults: a renewal is due after it, and fails.
    all.push(Space {
        faults: faults.min(2),
        leaps: &[200],
        leaps_at: Some(Op::Fetch),
        ..alone(
            "a lease that is renewed",
            with(Kind::Plain, |_| ()),
            faults,
            &[],
        )
    });
    // Two mails: what compares them has its faults too.
    let compared = with(Kind::Plain, |plan| {
        plan.kinds.push(Kind::SameMessageId);
        plan.queue.push(1);
    });
    let name = "a large mail with the Message-ID of another";
    all.push(alone(name, compared, faults.min(2), &[]));
    all
}

fn worlds(
    space: impl Fn(&'static str, Plan, &'static [i64]) -> Space,
    with: impl Fn(Kind, fn(&mut Plan)) -> Plan,
) -> Vec<Space> {
    vec![
        space("a mail", with(Kind::Plain, |_| ()), &[]),
        space(
            "a server whose old ids live",
            with(Kind::Plain, |plan| {
                plan.server.old_ids_live = true;
                plan.server.new_ids = false;
            }),
            &[],
        ),
        space(
            "a server without keys",
            with(Kind::Plain, |plan| plan.server.stable_keys = false),
            &[],
        ),
        space(
            "a new name after each crash",
            with(Kind::Plain, |plan| plan.same_name = false),
            &[400],
        ),
        space(
            "a large mail over two connections",
            with(Kind::Large, |plan| plan.connections = 2),
            &[],
        ),
        space("a large mail", with(Kind::Large, |_| ()), &[]),
        space("a clock set back", with(Kind::Plain, |_| ()), &[-86_400]),
        space(
            "a mail that nobody can read",
            with(Kind::Poison, |_| ()),
            &[],
        ),
        space(
            "a stranger's mail",
            with(Kind::Stranger, |plan| plan.not_logged_folder = true),
            &[],
        ),
        space(
            "a log of the host's",
            with(Kind::TwoContacts, |plan| plan.sink = true),
            &[],
        ),
    ]
}

/// What a worker does to a mail besides moving it, and how it signs in.
fn stamped_and_deleted(faults: usize) -> Vec<Space> {
    let space =
        |name, kind, change: fn(&mut Plan)| alone(name, plan_of(kind, faults, change), faults, &[]);
    vec![
        space("a mail that is given a key", Kind::Plain, |plan| {
            plan.keyless.insert(0);
            plan.stamps = true;
        }),
        space(
            "a stranger's mail that is deleted",
            Kind::Stranger,
            |plan| {
                plan.deletes = true;
            },
        ),
        space(
            "a mail that cannot be moved and is deleted",
            Kind::Plain,
            |plan| {
                plan.deletes = true;
                plan.stuck.insert(0);
            },
        ),
        space("a token that ends", Kind::Plain, |plan| {
            plan.refreshes = true;
        }),
    ]
}

/// What people ask for besides runs.
fn other_tasks(faults: usize) -> Vec<Space> {
    let space = |name, kind, tasks, change: fn(&mut Plan)| {
        let space = alone(name, plan_of(kind, faults, change), faults, &[]);
        Space {
            tasks,
            runs: faults + 2,
            ..space
        }
    };
    vec![
        space(
            "a mail that is requeued",
            Kind::Poison,
            &[Task::Run, Task::Requeue],
            |plan| plan.requeues = true,
        ),
        space(
            "a walk over the folders after each run",
            Kind::Plain,
            &[Task::Run, Task::Reconcile],
            |_| (),
        ),
    ]
}

/// Two batches of one worker: while one of them moves, the next is written. With a fault, or over two connections.
fn two_batches() -> Vec<Space> {
    let space = |name, connections, faults| {
        let mut plan = plan(1, &[Kind::Plain, Kind::SameMessageId]);
        (plan.batch, plan.connections) = (1, connections);
        alone(name, plan, faults, &[])
    };
    vec![
        space("two batches of a worker", 1, 1),
        space("two batches over two connections", 2, 0),
    ]
}

/// Effects that come when nobody waits for their answer any more: one of them, and another fault.
fn coming_late(faults: usize) -> Vec<Space> {
    let faults = faults.min(2);
    let space = |name, kind, change: fn(&mut Plan)| Space {
        late: true,
        ..alone(name, plan_of(kind, faults, change), faults, &[])
    };
    vec![
        space("what comes late", Kind::Plain, |_| ()),
        space("what comes late, where old ids live", Kind::Plain, |plan| {
            plan.server.old_ids_live = true;
            plan.server.new_ids = false;
        }),
        space("what comes late, over Graph", Kind::Plain, |plan| {
            plan.server = GRAPH;
        }),
        space(
            "what comes late, of what is deleted",
            Kind::Stranger,
            |plan| {
                plan.deletes = true;
            },
        ),
        space("what comes late, of a key", Kind::Plain, |plan| {
            plan.keyless.insert(0);
            plan.stamps = true;
        }),
    ]
}

/// The same over Graph: two faults in a debug build too where a mail goes its way.
fn over_graph(faults: usize) -> Vec<Space> {
    let space = |name, kind, faults, change: fn(&mut Plan)| {
        let mut plan = plan_of(kind, faults, change);
        plan.server = GRAPH;
        alone(name, plan, faults, &[])
    };
    let two = faults.max(2);
    vec![
        space("over Graph", Kind::Plain, two, |_| ()),
        space(
            "over Graph, without a search key",
            Kind::Plain,
            two,
            |plan| {
                plan.keyless.insert(0);
            },
        ),
        space(
            "over Graph, what nobody can read",
            Kind::Poison,
            faults,
            |_| (),
        ),
        space(
            "over Graph, a stranger's mail",
            Kind::Stranger,
            faults,
            |plan| {
                plan.not_logged_folder = true;
            },
        ),
        space(
            "over Graph, a stranger's mail that is deleted",
            Kind::Stranger,
            faults,
            |plan| plan.deletes = true,
        ),
        space(
            "over Graph, a mail that cannot be moved and is deleted",
            Kind::Plain,
            faults,
            |plan| {
                plan.deletes = true;
                plan.stuck.insert(0);
            },
        ),
    ]
}

/// Two workers, and either faults or leaps of the clock.
fn beside(
    name: &'static str,
    kinds: &[Kind],
    batch: u32,
    faults: usize,
    leaps: &'static [i64],
) -> Space {
    let mut plan = plan(2, kinds);
    plan.batch = batch;
    Space {
        name,
        plan,
        faults,
        runs: 1,
        leaps,
        leaps_at: None,
        most_leaps: usize::MAX,
        most_others: if leaps.is_empty() { usize::MAX } else { 0 },
        faults_at: None,
        tasks: &[Task::Run],
        late: false,
    }
}

/// Two workers and what two plain mails do not bring about, so that each call has been made beside another worker.
fn seldom_calls(faults: usize) -> Vec<Space> {
    let name = "a set-up that is stored and a log of the host's";
    let mut stored = beside(name, &[Kind::TwoContacts], 2, faults, &[]);
    stored.plan.setup = true;
    stored.plan.sink = true;
    let compared = [Kind::Plain, Kind::SameMessageId];
    let name = "a large mail with the Message-ID of another";
    let mut all = vec![stored, beside(name, &compared, 2, faults, &[])];
    let name = "a token that ends, a mail that is given a key and one that is deleted";
    let mut touched = beside(name, &[Kind::Plain, Kind::Stranger], 2, faults, &[]);
    touched.plan.keyless.insert(0);
    (touched.plan.stamps, touched.plan.deletes) = (true, true);
    touched.plan.refreshes = true;
    all.push(touched);
    let name = "a mail that is requeued";
    let mut requeued = beside(name, &[Kind::Poison], 2, faults, &[]);
    requeued.tasks = &[Task::Run, Task::Requeue];
    requeued.plan.requeues = true;
    all.push(requeued);
    if faults > 0 {
        all.push(Space {
            leaps_at: Some(Op::Fetch),
            ..beside("a lease that is renewed", &[Kind::Plain], 2, 1, &[200])
        });
    }
    all
}

/// A lease that ends before its holder notices, and another fault.
fn leaps_and_faults() -> Vec<Space> {
    const WRITTEN_AND_MOVED: &[Op] = &[Op::Commit, Op::Move, Op::Locate];
    let plain = [Kind::Plain, Kind::Plain];
    let space = |name, op, at| Space {
        leaps_at: Some(op),
        most_leaps: 1,
        most_others: 1,
        faults_at: at,
        ..beside(name, &plain, 2, 2, &[400])
    };
    let name = "a lease that ends before a move, and a fault";
    let mut all = vec![space(name, Op::Move, None)];
    let name = "a lease that ends before a commit, and a fault of what is written or moved";
    all.push(space(name, Op::Commit, Some(WRITTEN_AND_MOVED)));
    all
}

/// Two mails and two workers. Or the clock leaps over the end of a lease, where it
/// matters most.
pub(crate) fn two_mails(faults: usize) -> Vec<Space> {
    let space = beside;
    let plain = [Kind::Plain, Kind::Plain];
    let graph = |mut space: Space| {
        space.plan.server = GRAPH;
        space.plan.keyless.insert(1);
        space
    };
    let mut all = vec![
        space("two mails in a batch", &plain, 2, faults, &[]),
        graph(space(
            "two mails in a batch over Graph",
            &plain,
            2,
            faults,
            &[],
        )),
    ];
    all.extend(seldom_calls(faults.min(1)));
    if faults > 0 {
        for (name, op) in [
            ("a lease that ends before a commit", Op::Commit),
            ("a lease that ends before a move", Op::Move),
        ] {
            all.push(Space {
                leaps_at: Some(op),
                ..space(name, &plain, 2, 1, &[400])
            });
        }
        for (name, op) in [
            ("a lease that ends before a commit, over Graph", Op::Commit),
            ("a lease that ends before a move, over Graph", Op::Move),
        ] {
            all.push(Space {
                leaps_at: Some(op),
                ..graph(space(name, &plain, 2, 1, &[400]))
            });
        }
    }
    if faults > 0 {
        for (name, old_ids_live) in [
            ("what comes late beside another worker", false),
            (
                "what comes late beside another worker, where old ids live",
                true,
            ),
        ] {
            let mut late = space(name, &[Kind::Plain], 2, 1, &[]);
            late.late = true;
            late.plan.server.old_ids_live = old_ids_live;
            late.plan.server.new_ids = !old_ids_live;
            all.push(late);
        }
    }
    if faults > 1 {
        all.extend(leaps_and_faults());
        // The stages of two batches overlap in each worker: its own orders alone are many.
        let kinds = [Kind::Plain, Kind::SameMessageId];
        all.push(space("two batches", &kinds, 1, 0, &[]));
    }
    all
}
