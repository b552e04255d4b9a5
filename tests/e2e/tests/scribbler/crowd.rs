//! Calls at the same time on lanes of their own, and calls that are awaited, under a scribbler.

use std::sync::Mutex;

use hotcell::dynamic::Value;
use hotcell::rt::Handle;
use hotcell::{Options, Result, Session};
use hotcell_e2e::crew::Crew;
use tokio::runtime::Builder;

use super::{Driven, PATIENCE, Random};

/// The crew, with members of it that are held.
pub(super) struct Crowd {
    crew: Crew,
    held: Mutex<Vec<Handle>>,
}

impl Crowd {
    pub(super) fn open(options: Options) -> Crowd {
        Crowd { crew: Crew::with(Options { callers: 3, ..options }), held: Mutex::default() }
    }

    /// A member that is held, or a new one.
    fn member(&self, random: &mut Random) -> Result<Handle> {
        let held = self.held.lock().unwrap().pop();
        let member = match held {
            Some(member) if random.below(6) > 0 => member,
            _ => self.crew.hire(7)?,
        };
        self.held.lock().unwrap().push(member.clone());
        Ok(member)
    }

    /// Some calls at once of a task, one of which may be given up.
    fn awaited(&self, random: &mut Random) -> Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let one = self.crew.awaited("crew_add", &[Value::Int(2), Value::Int(3)]);
        let data = Value::Bytes(vec![1; random.below(5000) as usize]);
        let (two, three) = (self.crew.awaited("crew_sum", &[data]), self.crew.awaited("crew_count", &[]));
        let gives_up = random.below(4) == 0;
        runtime.block_on(async {
            if gives_up {
                tokio::select! {
                    biased;
                    one = one => return one.map(drop),
                    () = tokio::task::yield_now() => return Ok(()),
                }
            }
            let (one, two, three) = tokio::join!(one, two, three);
            one.and(two).and(three).map(drop)
        })
    }
}

impl Driven for Crowd {
    fn call(&self, random: &mut Random) -> Result<()> {
        let crew = &self.crew;
        match random.below(10) {
            0 | 1 => crew.int("crew_add", &[2, 3]).map(drop),
            2 => crew.call("crew_sum", &[Value::Bytes(vec![1; random.below(9000) as usize])]).map(drop),
            3 => {
                let room = Value::Int(random.below(9000).into());
                crew.call("crew_fill", &[room, Value::Int(3)]).map(drop)
            }
            4 => {
                let nests = random.below(2) == 0;
                let work = |number| match nests {
                    true => crew.int("crew_add", &[number, 1]).map_err(|error| error.to_string()),
                    false => Ok(number),
                };
                crew.each(random.below(5).into(), work).map(drop)
            }
            5 => {
                let member = self.member(random)?;
                crew.on_ask(&member, |number| Ok(number + 1))?;
                crew.of_member("crew_ask", &member, &[4]).map(drop)
            }
            6 => crew.of_member("crew_number", &self.member(random)?, &[]).map(drop),
            7 => {
                let calls: Vec<_> = (0..random.below(40)).map(|_| ("crew_count", 0)).collect();
                crew.ints_of_batch(&calls)?.into_iter().try_for_each(|it| it.map(drop))
            }
            _ => self.awaited(random),
        }
    }

    fn check(&self) {
        self.held.lock().unwrap().clear();
        let crew = self.crew.within(PATIENCE);
        assert_eq!(crew.int("crew_add", &[2, 3]).unwrap(), 5);
        assert_eq!(crew.call("crew_sum", &[Value::Bytes(vec![2; 5000])]).unwrap(), Value::Int(10_000));
        assert_eq!(crew.each(4, Ok).unwrap(), 6);
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let awaited = runtime.block_on(crew.awaited("crew_add", &[Value::Int(4), Value::Int(5)]));
        assert_eq!(awaited.unwrap(), Value::Int(9));
    }

    fn session(&self) -> &Session {
        &self.crew.session
    }
}
