//! What holds after any sequence of actions, refused ones included.

use email_logging::opportunity::{
    CloseCode, CloseKind, Closing, Opportunity, OpportunityStatus, Percent, ProbabilityCalculation,
    Quote, SalesCycle, StageAction, StageUpdate,
};
use jiff::ToSpan as _;
use proptest::prelude::*;

use super::bench::{amount, cycle_with_tasks, may};

#[derive(Debug, Clone)]
enum Act {
    Move(StageAction, i32, Option<u32>, Option<u8>, Option<i32>, bool),
    Close(CloseKind, CloseKind, i32, Option<u32>),
    Quote(u8, u32),
    RemoveQuote,
    Tick(u32),
}

fn action() -> impl Strategy<Value = StageAction> {
    prop_oneof![
        Just(StageAction::First),
        Just(StageAction::Next),
        Just(StageAction::Previous),
        (0..6_u32).prop_map(StageAction::Skip),
        (0..6_u32).prop_map(StageAction::Jump),
        Just(StageAction::Update),
    ]
}

fn kind() -> impl Strategy<Value = CloseKind> {
    prop_oneof![Just(CloseKind::Won), Just(CloseKind::Lost)]
}

fn act() -> impl Strategy<Value = Act> {
    let days = -5..40_i32;
    let moves = (
        action(),
        days.clone(),
        proptest::option::of(0..5_000_u32),
        proptest::option::of(0..=100_u8),
        proptest::option::of(-10..60_i32),
        any::<bool>(),
    );
    prop_oneof![
        8 => moves.prop_map(|(a, d, v, c, k, t)| Act::Move(a, d, v, c, k, t)),
        1 => (kind(), kind(), days, proptest::option::of(0..9_u32))
            .prop_map(|(a, b, d, v)| Act::Close(a, b, d, v)),
        1 => (0..2_u8, 0..9_u32).prop_map(|(no, value)| Act::Quote(no, value)),
        1 => Just(Act::RemoveQuote),
        1 => (0..6_u32).prop_map(Act::Tick),
    ]
}

fn apply(one: &mut Opportunity, cycle: &SalesCycle, act: &Act) -> bool {
    let on = |days: i32| may(1).checked_add(days.days()).unwrap();
    match act {
        Act::Move(action, date, value, chance, close, cancel) => {
            let mut update = StageUpdate::new(*action, on(*date)).with_cancel_open_tasks(*cancel);
            update.estimated_value = value.map(amount);
            update.chance = chance.map(Percent::whole);
            update.close_date = close.map(on);
            one.update(cycle, &update).is_ok()
        }
        Act::Close(kind, of_code, date, value) => {
            let code = CloseCode::new("CODE", *of_code);
            let closing = match kind {
                CloseKind::Won => Closing::won(on(*date), value.map(amount)),
                CloseKind::Lost => Closing::lost(on(*date)),
            };
            one.close(&closing, Some(&code)).is_ok()
        }
        Act::Quote(no, value) => {
            let quote = Quote::new(format!("Q{no}"), amount(*value));
            one.assign_quote(quote, true).is_ok()
        }
        Act::RemoveQuote => one.remove_quote().is_ok(),
        Act::Tick(no) => one.complete_task(*no).is_ok(),
    }
}

/// One active entry once it has started and it is the last; percentages in range; dates that do not fall; days that add up;
/// numbers without a gap; a value that is never above the estimate before the end.
fn holds(one: &Opportunity) -> Result<(), TestCaseError> {
    prop_assert!(one.check().is_ok());
    let started = one.status != OpportunityStatus::NotStarted;
    let active = one.entries.iter().filter(|entry| entry.active).count();
    prop_assert_eq!(active, usize::from(started));
    for (no, entry) in (1..).zip(&one.entries) {
        prop_assert_eq!(entry.no, no);
        for percent in [entry.chance, entry.completed, entry.probability] {
            prop_assert!(percent <= Percent::HUNDRED);
        }
        if entry.close_code.is_none() {
            prop_assert!(entry.calculated_value <= entry.estimated_value);
            prop_assert!(entry.estimated_close_date >= entry.date_of_change);
        }
    }
    for pair in one.entries.windows(2) {
        let days = pair[1].date_of_change - pair[0].date_of_change;
        prop_assert_eq!(i64::from(pair[0].days_open), i64::from(days.get_days()));
    }
    let numbers: Vec<_> = one.tasks.iter().map(|task| task.no).collect();
    prop_assert!(numbers.is_sorted_by(|a, b| a < b));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_actions_leave_one_active_entry_probabilities_in_range_and_dates_in_order(
        acts in proptest::collection::vec(act(), 1..40),
        calculation in 0..4_usize,
        company in any::<bool>(),
    ) {
        let calculation = ProbabilityCalculation::ALL[calculation];
        let cycle = cycle_with_tasks().with_probability(calculation);
        let mut one = Opportunity::new("OP1".into(), "C1".into(), may(1));
        one.contact_company_no = company.then(|| "CO1".into());
        one.set_sales_cycle(&cycle).unwrap();
        for act in &acts {
            let before = one.clone();
            if !apply(&mut one, &cycle, act) {
                prop_assert_eq!(&one, &before, "a refused action changed it: {:?}", act);
            }
            holds(&one)?;
        }
    }
}
