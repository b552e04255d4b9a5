//! What a program holds before it is disturbed, and what it holds more behind that.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{descriptors, segments, threads};

/// How long it is waited for what ends with its worker.
const PATIENCE: Duration = Duration::from_secs(20);

/// Descriptors, maps of segments and threads of this process, and its children, those too that it has not waited for.
#[derive(Debug, PartialEq, Eq)]
pub struct Counts([usize; 4]);

impl Counts {
    fn now() -> Counts {
        Counts([descriptors(), segments(), threads(), children()])
    }

    /// What stays once a session was had and given up.
    pub fn settled() -> Counts {
        let patience = Instant::now() + PATIENCE;
        let (mut counts, mut looks) = (Counts::now(), 0);
        while (looks < 5 || counts.0[1] > 0 || counts.0[3] > 0) && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(2));
            let now = Counts::now();
            looks = if now == counts { looks + 1 } else { 0 };
            counts = now;
        }
        counts
    }

    /// What there is more of now, once what ends has ended.
    pub fn more(&self) -> Value {
        let patience = Instant::now() + PATIENCE;
        loop {
            let now = Counts::now();
            let more: Vec<usize> =
                now.0.iter().zip(self.0).map(|(now, before)| now.saturating_sub(before)).collect();
            if more.iter().all(|&more| more == 0) || Instant::now() > patience {
                return json!({ "descriptors": more[0], "segments": more[1], "threads": more[2], "children": more[3] });
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Children of any thread of this process.
fn children() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("procfs is mounted").flatten();
    let children = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    children.map(|children| children.split_whitespace().count()).sum()
}
