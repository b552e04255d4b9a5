//! Objects, callbacks, structures and batches under a scribbler.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use hotcell::rt::{Batch, Handle, Invocation};
use hotcell::{Options, Result, Session};
use hotcell_e2e::objects::{ITEM, Objects, STORE, Stream, VIEW};

use super::{Driven, PATIENCE, Random};

/// The library of objects, with those of them that are held.
pub(super) struct Things {
    objects: Objects,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    stores: Vec<Handle>,
    items: Vec<Handle>,
    views: Vec<Handle>,
}

impl Things {
    pub(super) fn open(options: Options) -> Things {
        let deadline = options.deadline;
        let session = Objects::open(options).unwrap().session.within(deadline);
        Things { objects: Objects { session }, held: Mutex::default() }
    }

    /// One of those that are held, or a new one. Few are held, so that objects are released all the time.
    fn store(&self, random: &mut Random) -> Result<Handle> {
        let mut held = self.held.lock().unwrap();
        if held.stores.len() < 3 {
            let store = self.objects.store_with(if random.below(16) == 0 { 7 } else { 0 }, 0)?;
            held.stores.push(store);
        }
        let at = random.below(held.stores.len() as u64) as usize;
        Ok(match random.below(6) {
            0 => held.stores.swap_remove(at),
            _ => held.stores[at].clone(),
        })
    }

    fn hold(&self, of: fn(&mut Held) -> &mut Vec<Handle>, handle: Handle) {
        let mut held = self.held.lock().unwrap();
        let list = of(&mut held);
        list.push(handle);
        if list.len() > 4 {
            list.remove(0);
        }
    }

    fn last(
        &self,
        of: fn(&mut Held) -> &mut Vec<Handle>,
        otherwise: impl FnOnce() -> Result<Handle>,
    ) -> Result<Handle> {
        let last = of(&mut self.held.lock().unwrap()).pop();
        last.map_or_else(otherwise, Ok)
    }

    fn item(&self, random: &mut Random) -> Result<Handle> {
        self.last(|held| &mut held.items, || self.objects.item(&self.store(random)?))
    }

    /// Callbacks that look at all they are passed, and now and then call the library, or fail.
    fn called_back(&self, random: &mut Random) -> Result<()> {
        let (times, fill) = (random.below(6) as i64, random.below(6) * 900);
        let (fails, nests) = (random.below(16) == 0, random.below(2) == 0);
        let mut callback = |invocation: &mut Invocation<'_>| {
            let (text, texts) = (invocation.opt_text(8)?, invocation.opt_texts(24)?);
            let data = invocation.buffer(40)?;
            if nests {
                let inner = self.objects.turn_round(3, "there", &data[..data.len().min(100)], [1, 2, 3])?;
                self.objects.each(1, 5, &mut |invocation| Ok(invocation.get_u64(0)))?;
                assert_eq!(inner.4.len(), 3);
            }
            if fails {
                return Err(invocation.failed("on purpose"));
            }
            Ok(text.map_or(0, |text| text.len() as u64) + texts.len() as u64 + sum(&data))
        };
        self.objects.each(times, fill, &mut callback).map(drop)
    }

    fn kept(&self, random: &mut Random) -> Result<()> {
        let store = self.store(random)?;
        let objects = self.objects.clone();
        let nests = random.below(2) == 0;
        let run = move |invocation: &mut Invocation<'_>| {
            let (one, many) = (invocation.opt_handle(0, VIEW)?, invocation.handles(8, VIEW)?);
            if nests && let Some(view) = &one {
                objects.look(view)?;
            }
            Ok(many.len() as u64)
        };
        // What it holds lives as long as it is kept, and the session is kept by its objects.
        self.objects.keep(&store, 0, Some(Box::new(run)))?;
        self.objects.poke(Some(&store), 0..3)?;
        self.objects.keep(&store, 0, None)
    }

    fn stream(&self, random: &mut Random) -> Result<()> {
        let mut stream = Stream { data: vec![7; random.below(3000) as usize], ..Stream::default() };
        for _ in 0..3 {
            let before = stream.data.len();
            self.objects.advance(&mut stream, if random.below(8) == 0 { 3 } else { 0 })?;
            assert!(stream.data.len() <= before);
        }
        self.objects.end(&mut stream)
    }

    fn batch(&self, random: &mut Random) -> Result<()> {
        let mut batch = self.objects.session.batch();
        let (mut stores, mut numbers, mut texts, mut places) = (vec![], vec![], vec![], vec![]);
        for _ in 0..1 + random.below(60) {
            match random.below(5) {
                0 => stores.push(open_in(&mut batch)?),
                1 => {
                    let call = batch.entry(8)?;
                    texts.push(call.read(|reply| reply.text(0)));
                }
                2 => {
                    let mut call = batch.entry(18)?;
                    call.put_i64(0, random.below(21) as i64);
                    places.push(call.read(|reply| reply.offset(0, 20)));
                }
                3 => {
                    let mut call = batch.entry(11)?;
                    call.put_u64(0, 0);
                    texts.push(
                        call.read(|reply| Ok(String::from_utf8_lossy(&reply.text_bytes(0)?).into_owned())),
                    );
                }
                _ => numbers.push(batch.entry(20)?.values(|values| values.get_i64(0))),
            }
        }
        let mut done = batch.run()?;
        let mut failed = None;
        let mut note = |error| failed = Some(error);
        stores.into_iter().filter_map(|ticket| done.take(ticket).err()).for_each(&mut note);
        numbers.into_iter().filter_map(|ticket| done.take(ticket).err()).for_each(&mut note);
        for place in places {
            match done.take(place) {
                Ok(place) => assert!(place.is_none_or(|place| place <= 20)),
                Err(error) => note(error),
            }
        }
        for text in texts {
            match done.take(text) {
                Ok(text) => assert!(text.chars().count() <= text.len()),
                Err(error) => note(error),
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

fn open_in(batch: &mut Batch) -> Result<hotcell::Ticket<Handle>> {
    let mut call = batch.entry(0)?;
    call.put_u64(0, 0);
    Ok(call.read(|reply| reply.handle(0, STORE, true, None)))
}

fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().map(|&byte| u64::from(byte)).sum()
}

impl Driven for Things {
    fn call(&self, random: &mut Random) -> Result<()> {
        let objects = &self.objects;
        match random.below(17) {
            0 => self.store(random).map(drop),
            1 => {
                let item = objects.item(&self.store(random)?)?;
                self.hold(|held| &mut held.items, item);
                Ok(())
            }
            2 => objects.free(&self.item(random)?),
            3 => {
                let view = objects.view(&self.store(random)?, random.below(5) as i32 - 1)?;
                view.into_iter().for_each(|view| self.hold(|held| &mut held.views, view));
                Ok(())
            }
            4 => {
                let view = self.last(
                    |held| &mut held.views,
                    || {
                        let view = objects.view(&self.store(random)?, 1)?;
                        view.map_or_else(|| objects.store(0), Ok)
                    },
                )?;
                objects.use_view(&view)?;
                objects.look(&view).map(drop)
            }
            5 => objects.change(&self.store(random)?),
            6 => {
                let (item, to) = (self.item(random)?, self.store(random)?);
                objects.give(&item, Some(&to).filter(|_| random.below(2) == 0), random.below(2) as i32)
            }
            7 => objects.close(&self.store(random)?),
            8 | 9 => self.called_back(random),
            10 => self.kept(random),
            11 => self.stream(random),
            12 | 13 => self.batch(random),
            14 => {
                let data = vec![3; random.below(5000) as usize];
                let turned = objects.turn_round(random.next() as i64, "there", &data, [1, 2, 3])?;
                assert!(turned.2.chars().count() <= turned.2.len());
                objects.measure(&["one", "", "three"]).map(drop)
            }
            15 => {
                let place = objects.offset(random.below(11) as i64, 10)?;
                assert!(place.is_none_or(|place| place <= 10));
                objects.lend_many(&self.store(random)?, random.below(40) as i64).map(drop)
            }
            _ => {
                let text = objects.journal()?;
                assert!(text.chars().count() <= text.len());
                objects.bad_text().map(drop)
            }
        }
    }

    fn check(&self) {
        *self.held.lock().unwrap() = Held::default();
        let objects = &Objects { session: self.objects.session.within(PATIENCE) };
        assert_eq!(objects.living().unwrap(), 0);
        let store = objects.store(0).unwrap();
        let item = objects.item(&store).unwrap();
        assert_eq!(objects.look(&objects.view(&store, 1).unwrap().unwrap()).unwrap(), 0);
        let (sender, seen) = channel();
        let run = move |invocation: &mut Invocation<'_>| {
            let views = invocation.handles(8, VIEW)?;
            sender.send(invocation.get_i64(24)).unwrap();
            Ok(Objects { session: views[0].session().within(PATIENCE) }.look(&views[0])? as u64)
        };
        objects.keep(&store, 0, Some(Box::new(run))).unwrap();
        assert_eq!(objects.poke(Some(&store), 1..4).unwrap(), (11 + 21 + 31, 0));
        objects.keep(&store, 0, None).unwrap();
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), [1, 2, 3]);
        let turned = objects.turn_round(21, "hello", b"abc", [1, 2, 3]).unwrap();
        assert_eq!(turned, (42, 2.5, "out".to_owned(), b"cba".to_vec(), [3, 2, 1]));
        let mut batch = objects.session.batch();
        let mut call = batch.entry(2).unwrap();
        call.put_handle(0, "store", &store, STORE).unwrap();
        let owner = store.clone();
        let second = call.read(move |reply| reply.handle(0, ITEM, true, Some(&owner)));
        let living = batch.entry(20).unwrap().values(|values| values.get_i64(0));
        let mut done = batch.run().unwrap();
        let second = done.take(second).unwrap();
        assert_eq!(done.take(living).unwrap(), 3);
        objects.free(&second).unwrap();
        objects.free(&item).unwrap();
        objects.close(&store).unwrap();
        assert_eq!(objects.living().unwrap(), 0);
        assert_eq!(objects.journal().unwrap(), "open0 item0 item1 free1 free0 close0");
    }

    fn session(&self) -> &Session {
        &self.objects.session
    }
}
