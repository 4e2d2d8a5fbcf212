//! Who is turned away first.

use proptest::prelude::*;
use warren_resilience::{Priority, Shedder, ShedderSettings, Verdict};

fn admits(limit: u32, in_flight: u32) -> Vec<Priority> {
    let shedder = Shedder::new(ShedderSettings::default()).unwrap();
    let admitted = |priority: &Priority| shedder.decide(limit, in_flight, *priority) == Verdict::Admit;
    Priority::ALL.into_iter().filter(admitted).collect()
}

#[test]
fn reports_are_turned_away_before_people_and_people_before_sign_in_and_traffic() {
    assert_eq!(admits(100, 49).len(), 4);
    assert_eq!(admits(100, 50), [Priority::Traffic, Priority::SignIn, Priority::Interactive]);
    assert_eq!(admits(100, 85), [Priority::Traffic, Priority::SignIn]);
    assert_eq!(admits(100, 95), [Priority::Traffic]);
    assert_eq!(admits(100, 100), []);
}

#[test]
fn a_limit_of_one_shuts_nobody_out() {
    assert_eq!(admits(1, 0).len(), 4);
    assert_eq!(admits(1, 1), []);
}

#[test]
fn shares_that_turn_the_order_round_are_refused_in_words() {
    let settings = ShedderSettings { background_percent: 90, ..ShedderSettings::default() };
    assert_eq!(
        Shedder::new(settings).unwrap_err().to_string(),
        "load shedding: percent for background is 90; it must be between 1 and 85"
    );
    assert!(Shedder::new(ShedderSettings { background_percent: 0, ..ShedderSettings::default() }).is_err());
    assert!(Shedder::new(ShedderSettings { sign_in_percent: 101, ..ShedderSettings::default() }).is_err());
}

proptest! {
    #[test]
    fn who_comes_first_is_never_turned_away_where_another_is_let_in(limit in any::<u32>(), in_flight in any::<u32>()) {
        let admitted = admits(limit, in_flight);
        prop_assert_eq!(&admitted[..], &Priority::ALL[..admitted.len()]);
        prop_assert!(admitted.is_empty() || in_flight < limit.max(1));
    }
}
