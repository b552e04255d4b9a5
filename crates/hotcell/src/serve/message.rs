//! What a client sends, read: the kinds, and what each has to have.

use std::os::fd::OwnedFd;
use std::time::Duration;

use serde_json::{Map, Value};

use super::socket::Trouble;
use crate::session::Blame;
use crate::session::served::Why;

/// A packet of a client, which is some JSON object.
#[derive(Debug)]
pub(super) struct Message {
    kind: String,
    members: Map<String, Value>,
    attached: Vec<OwnedFd>,
}

/// What is said on the first socket.
#[derive(Debug)]
pub(super) enum First {
    Hello { version: u64 },
    Session(OwnedFd),
}

/// What is said on the socket of a session.
#[derive(Debug)]
pub(super) enum Said {
    /// To be answered, by this number.
    Order(u64, Order),
    /// A channel is mapped.
    MappedChannel(u64),
    /// The segment of the order of this number is mapped.
    MappedSegment(u64),
    Kill {
        generation: u64,
        call: Blame,
        why: Why,
    },
    Left(u64),
    Close,
}

/// What is to be done, and answered.
#[derive(Debug)]
pub(super) enum Order {
    Open {
        interface: (OwnedFd, u64),
        shim: (OwnedFd, u64),
        options: Value,
    },
    Worker {
        left: Duration,
        function: String,
    },
    Lane {
        generation: u64,
        lane: u32,
        left: Duration,
    },
    Grow {
        generation: u64,
        direction: Direction,
        bytes: u64,
        left: Duration,
    },
    Cancel {
        generation: u64,
        lane: u32,
        call: u64,
        left: Duration,
    },
    Stats,
    /// Where the thread was that ended a worker.
    Frames {
        generation: u64,
    },
}

/// Which way data go in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Reply,
}

type Read<T> = Result<T, Trouble>;

impl Message {
    pub(super) fn read(text: &[u8], attached: Vec<OwnedFd>) -> Read<Message> {
        let members = match serde_json::from_slice(text) {
            Ok(Value::Object(members)) => members,
            _ => return broken("a packet is no JSON object"),
        };
        let kind = match members.get("kind") {
            Some(Value::String(kind)) => kind.clone(),
            _ => return broken("a packet has no `kind`"),
        };
        Ok(Message { kind, members, attached })
    }

    /// As one of the first socket.
    pub(super) fn first(mut self) -> Read<First> {
        match self.kind.as_str() {
            "hello" => {
                self.attached::<0>()?;
                Ok(First::Hello { version: self.number("version")? })
            }
            "session" => self.attached::<1>().map(|[socket]| First::Session(socket)),
            other => broken(&format!("`{other}` is nothing that a client says on its first socket")),
        }
    }

    /// As one of the socket of a session.
    pub(super) fn said(mut self) -> Read<Said> {
        if self.kind != "open" {
            self.attached::<0>()?;
        }
        let order = match self.kind.as_str() {
            "open" => self.open()?,
            "worker" => Order::Worker { left: self.left()?, function: self.text("function")? },
            "lane" => {
                let (generation, lane) = (self.number("generation")?, self.small("lane")?);
                Order::Lane { generation, lane, left: self.left()? }
            }
            "grow" => {
                let (generation, bytes) = (self.number("generation")?, self.number("bytes")?);
                Order::Grow { generation, direction: self.direction()?, bytes, left: self.left()? }
            }
            "cancel" => {
                let (generation, call) = (self.number("generation")?, self.number("call")?);
                Order::Cancel { generation, lane: self.small("lane")?, call, left: self.left()? }
            }
            "stats" => Order::Stats,
            "frames" => Order::Frames { generation: self.number("generation")? },
            "mapped" if self.members.contains_key("id") => {
                return Ok(Said::MappedSegment(self.number("id")?));
            }
            "mapped" => return Ok(Said::MappedChannel(self.number("generation")?)),
            "kill" => return self.kill(),
            "left" => return Ok(Said::Left(self.number("generation")?)),
            "close" => return Ok(Said::Close),
            other => return broken(&format!("`{other}` is nothing that a client says of a session")),
        };
        Ok(Said::Order(self.number("id")?, order))
    }

    fn open(&mut self) -> Read<Order> {
        let [interface, shim] = self.attached::<2>()?;
        let interface = (interface, self.number("interface_bytes")?);
        let shim = (shim, self.number("shim_bytes")?);
        let options = self.members.remove("options").unwrap_or_default();
        Ok(Order::Open { interface, shim, options })
    }

    fn kill(&self) -> Read<Said> {
        let call = Blame {
            lane: self.small("lane")?,
            function: self.short("function")?,
            call_id: self.number("call")?,
        };
        let why = match self.text("why")?.as_str() {
            "deadline" => Why::Deadline,
            "given-up" => Why::GivenUp,
            "violation" => Why::Violation(self.short("rule")?),
            "invalid-reply" => Why::InvalidReply,
            "callbacks" => Why::Callbacks,
            other => return broken(&format!("`{other}` is no reason to end a worker")),
        };
        Ok(Said::Kill { generation: self.number("generation")?, call, why })
    }

    fn direction(&self) -> Read<Direction> {
        match self.text("direction")?.as_str() {
            "request" => Ok(Direction::Request),
            "reply" => Ok(Direction::Reply),
            other => broken(&format!("`{other}` is no direction")),
        }
    }

    /// Exactly so many descriptors.
    fn attached<const N: usize>(&mut self) -> Read<[OwnedFd; N]> {
        let attached = std::mem::take(&mut self.attached);
        let count = attached.len();
        attached
            .try_into()
            .or_else(|_| broken(&format!("`{}` has {count} descriptors where {N} go with it", self.kind)))
    }

    fn left(&self) -> Read<Duration> {
        self.number("left_ns").map(Duration::from_nanos)
    }

    /// A whole number, which may be in a text where it is large.
    fn number(&self, name: &str) -> Read<u64> {
        let number = match self.members.get(name) {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.parse().ok(),
            _ => None,
        };
        number.map_or_else(|| broken(&format!("`{}` has no number `{name}`", self.kind)), Ok)
    }

    fn small(&self, name: &str) -> Read<u32> {
        let number = self.number(name)?;
        u32::try_from(number).or_else(|_| broken(&format!("`{name}` of `{}` is too large", self.kind)))
    }

    /// A text that is said again in what others are told.
    fn short(&self, name: &str) -> Read<String> {
        /// Bytes of it.
        const MOST: usize = 4 << 10;
        let mut text = self.text(name)?;
        text.truncate(text.floor_char_boundary(MOST));
        Ok(text)
    }

    fn text(&self, name: &str) -> Read<String> {
        match self.members.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            _ => broken(&format!("`{}` has no text `{name}`", self.kind)),
        }
    }
}

fn broken<T>(rule: &str) -> Read<T> {
    Err(Trouble::Broken(rule.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn said(text: &str, descriptors: usize) -> Read<Said> {
        let attached = (0..descriptors).map(|_| File::open("/dev/null").unwrap().into()).collect();
        Message::read(text.as_bytes(), attached)?.said()
    }

    #[track_caller]
    fn refused(text: &str, descriptors: usize, expect: &str) {
        match said(text, descriptors) {
            Err(Trouble::Broken(rule)) => assert!(rule.contains(expect), "{text}: {rule}"),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn what_is_no_message_is_refused_by_what_is_wrong_with_it() {
        for text in ["", "{", "[]", "7", "\"kind\"", "\u{0}", "{\"kind\":\"close\"} x"] {
            refused(text, 0, "no JSON object");
        }
        for text in ["{}", "{\"kind\":7}", "{\"kind\":null}"] {
            refused(text, 0, "no `kind`");
        }
        refused(r#"{"kind":"frob"}"#, 0, "`frob` is nothing");
        refused(r#"{"kind":"hello","version":1}"#, 0, "`hello` is nothing");
        refused(r#"{"kind":"worker","left_ns":1,"function":""}"#, 0, "no number `id`");
        refused(r#"{"kind":"worker","id":1,"function":""}"#, 0, "no number `left_ns`");
        refused(r#"{"kind":"worker","id":1,"left_ns":1}"#, 0, "no text `function`");
        refused(r#"{"kind":"lane","id":1,"left_ns":1,"generation":1,"lane":4294967296}"#, 0, "too large");
        refused(
            r#"{"kind":"lane","id":1,"left_ns":1,"generation":-1,"lane":1}"#,
            0,
            "no number `generation`",
        );
        let grow = r#"{"kind":"grow","id":1,"left_ns":1,"generation":1,"bytes":1,"direction":"up"}"#;
        refused(grow, 0, "`up` is no direction");
        let kill = r#"{"kind":"kill","generation":1,"lane":0,"function":"f","call":1,"why":"envy"}"#;
        refused(kill, 0, "`envy` is no reason");
        refused(&kill.replace("envy", "violation"), 0, "no text `rule`");
        let cancel = r#"{"kind":"cancel","id":1,"generation":1,"lane":0,"left_ns":1}"#;
        refused(cancel, 0, "`cancel` has no number `call`");
    }

    #[test]
    fn descriptors_are_as_many_as_go_with_it() {
        let open = r#"{"kind":"open","id":1,"interface_bytes":1,"shim_bytes":1}"#;
        refused(open, 0, "0 descriptors where 2");
        refused(open, 3, "3 descriptors where 2");
        assert!(matches!(said(open, 2), Ok(Said::Order(1, Order::Open { options: Value::Null, .. }))));
        refused(r#"{"kind":"close"}"#, 1, "1 descriptors where 0");
        let first = |text: &str, attached| Message::read(text.as_bytes(), attached).unwrap().first();
        assert!(first(r#"{"kind":"session"}"#, Vec::new()).is_err());
        assert!(first(r#"{"kind":"session"}"#, vec![File::open("/dev/null").unwrap().into()]).is_ok());
    }

    #[test]
    fn large_numbers_may_be_texts_and_unknown_members_are_passed_over() {
        let text = r#"{"kind":"kill","generation":"18446744073709551615","lane":2,"function":"f","call":"7","why":"deadline","x":{}}"#;
        let Ok(Said::Kill { generation, call, why }) = said(text, 0) else { panic!("it is one") };
        assert_eq!((generation, call.lane, call.call_id, why), (u64::MAX, 2, 7, Why::Deadline));
    }
}
