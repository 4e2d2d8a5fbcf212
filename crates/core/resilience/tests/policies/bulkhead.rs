//! The bulkhead.

use proptest::prelude::*;
use warren_resilience::{Bulkhead, BulkheadSettings, Freed, Place};

fn bulkhead(in_use_max: u32, waiting_max: u32) -> Bulkhead {
    Bulkhead::new(BulkheadSettings { in_use_max, waiting_max }).unwrap()
}

#[test]
fn so_many_at_once_so_many_waiting_and_nobody_else() {
    let mut bulkhead = bulkhead(2, 1);
    let asked: Vec<_> = (0..4).map(|_| bulkhead.enter()).collect();
    assert_eq!(asked, [Place::Taken, Place::Taken, Place::Waits, Place::Full]);
    assert_eq!(bulkhead.left(), Freed::Passed);
    assert_eq!((bulkhead.in_use(), bulkhead.waiting()), (2, 0));
    assert_eq!([bulkhead.left(), bulkhead.left()], [Freed::Kept, Freed::Kept]);
    assert_eq!(bulkhead.in_use(), 0);
}

#[test]
fn who_gives_up_makes_room_among_those_who_wait() {
    let mut bulkhead = bulkhead(1, 1);
    assert_eq!([bulkhead.enter(), bulkhead.enter(), bulkhead.enter()], [Place::Taken, Place::Waits, Place::Full]);
    bulkhead.gave_up();
    assert_eq!(bulkhead.enter(), Place::Waits);
}

#[test]
fn a_larger_limit_lets_in_who_waits_and_a_smaller_one_sends_nobody_out() {
    let mut bulkhead = bulkhead(1, 5);
    let _ = [(); 4].map(|()| bulkhead.enter());
    assert_eq!(bulkhead.set_limit(3), 2);
    assert_eq!((bulkhead.in_use(), bulkhead.waiting()), (3, 1));
    assert_eq!(bulkhead.set_limit(0), 0);
    assert_eq!((bulkhead.limit(), bulkhead.in_use()), (1, 3));
    assert_eq!([bulkhead.left(), bulkhead.left(), bulkhead.left()], [Freed::Kept, Freed::Kept, Freed::Passed]);
}

#[test]
fn settings_outside_their_limits_are_refused() {
    for (in_use_max, waiting_max) in [(0, 1), (100_001, 1), (1, 100_001)] {
        assert!(Bulkhead::new(BulkheadSettings { in_use_max, waiting_max }).is_err());
    }
}

#[derive(Debug, Clone)]
enum Event {
    Enter,
    Leave,
    GiveUp,
    Limit(u32),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        5 => Just(Event::Enter),
        4 => Just(Event::Leave),
        1 => Just(Event::GiveUp),
        1 => (0..6u32).prop_map(Event::Limit),
    ]
}

proptest! {
    #[test]
    fn nobody_waits_while_there_is_a_place_and_all_are_counted(events in prop::collection::vec(event(), 0..300)) {
        let (mut bulkhead, mut inside, mut waiting) = (bulkhead(3, 4), 0u32, 0u32);
        for event in events {
            match event {
                Event::Enter => match bulkhead.enter() {
                    Place::Taken => {
                        inside += 1;
                        prop_assert!(inside <= bulkhead.limit());
                    }
                    Place::Waits => waiting += 1,
                    Place::Full => prop_assert_eq!(waiting, 4),
                },
                Event::Leave if inside > 0 => match bulkhead.left() {
                    Freed::Passed => waiting -= 1,
                    Freed::Kept => inside -= 1,
                },
                Event::GiveUp if waiting > 0 => {
                    bulkhead.gave_up();
                    waiting -= 1;
                }
                Event::Limit(limit) => {
                    let woken = bulkhead.set_limit(limit);
                    (inside, waiting) = (inside + woken, waiting - woken);
                }
                Event::Leave | Event::GiveUp => {}
            }
            prop_assert_eq!((bulkhead.in_use(), bulkhead.waiting()), (inside, waiting));
            prop_assert!(waiting == 0 || inside >= bulkhead.limit(), "somebody waits beside an empty place");
        }
    }
}
