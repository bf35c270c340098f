//! The last requests, in memory, for `ovhai emulator requests`.
//!
//! Each worker has rings of its own, so that no two workers share one. A ring consists of blocks.
//! The worker fills the newest; a reader takes references to those that are full and a copy of the
//! one that is being filled, so that it holds the worker up for some microseconds, whatever it
//! looks for. Rings are bounded in number and in bytes, and take no memory before requests come.
//! Requests to apps have a ring apart from calls of the API and of the emulator itself, which
//! programs make every second while they show something.
//!
//! Queries, headers, bodies and token strings never get here.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ovhai_api_types::{AppId, Door, RequestRecord, Timestamp, TokenId};

use super::line::{Aborted, Decision, Destination, Line, Protocol, Who, address};
use super::refusal_kind::RefusalKind;
use crate::seal::Seal;

/// Maximum requests of a block,
const BLOCK: usize = 128;
/// and bytes of their texts.
const BLOCK_TEXT: usize = 16 * 1024;
/// Maximum full blocks of a worker's requests to apps,
const APP_BLOCKS: usize = 16;
/// and of its other requests.
const OTHER_BLOCKS: usize = 4;
/// Maximum length of path, reason, request id, name and method, in bytes.
const PATH_MAX: usize = 512;
const REASON_MAX: usize = 384;
const ID_MAX: usize = 128;
const NAME_MAX: usize = 128;
const METHOD_MAX: usize = 32;
/// Marks text that was cut.
const CUT: &[u8] = b"...";
/// Maximum bytes of the texts of one request.
const TEXT_MAX: usize = PATH_MAX + REASON_MAX + ID_MAX + NAME_MAX + METHOD_MAX + 5 * CUT.len();
const _: () = assert!(TEXT_MAX <= BLOCK_TEXT, "a block holds one request at least");

/// Reads of this list are not recorded: a follower would see nothing else.
const OWN_PATHS: [&[u8]; 4] = [
    b"/_emulator/requests",
    b"/_emulator/requests/totals",
    b"/c/-/requests",
    b"/c/-/requests/live",
];

/// Whether a request only reads the requests.
pub(super) fn is_own(line: &Line<'_>) -> bool {
    line.destination == Destination::Local && OWN_PATHS.contains(&line.path_alone())
}

/// The caller of a request; its name is among the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Unknown,
    Token(TokenId),
    User,
}

/// The texts of a request, in their order.
#[derive(Debug, Clone, Copy)]
enum Text {
    Id,
    Method,
    Path,
    Reason,
    Name,
}

/// A request without its texts.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Microseconds of Unix time, never falling; rings are merged by it.
    order: u64,
    /// Milliseconds of Unix time.
    time: i64,
    client: SocketAddr,
    destination: Destination,
    status: u16,
    bytes_in: u64,
    bytes_out: u64,
    decision: Decision,
    caller: Caller,
    refused: Option<RefusalKind>,
    aborted: Option<Aborted>,
    total: Duration,
    upstream: Option<Duration>,
    held: Duration,
    replica: u32,
    protocol: Protocol,
    tls: bool,
    /// Where its texts begin, and where each ends.
    start: u16,
    ends: [u16; 5],
}

#[derive(Debug, Clone, Default)]
pub(super) struct Block {
    /// Number of the first request, counted from the worker's start.
    first: u64,
    entries: Vec<Entry>,
    texts: Vec<u8>,
}

impl Block {
    fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    fn is_full(&self) -> bool {
        self.entries.len() == BLOCK || self.texts.len() + TEXT_MAX > BLOCK_TEXT
    }

    fn push(&mut self, line: &Line<'_>, order: u64, time: i64) {
        let at = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
        let (caller, name) = match line.who {
            Who::Anonymous => (Caller::Unknown, ""),
            Who::Token { id, name } => (Caller::Token(id), name),
            Who::User(name) => (Caller::User, name),
        };
        let start = at(self.texts.len());
        let texts = [
            (line.id, ID_MAX),
            (line.method, METHOD_MAX),
            (line.path_alone(), PATH_MAX),
            (line.reason.as_bytes(), REASON_MAX),
            (name.as_bytes(), NAME_MAX),
        ];
        let ends = texts.map(|(text, max)| {
            self.texts.extend_from_slice(&text[..text.len().min(max)]);
            if text.len() > max {
                self.texts.extend_from_slice(CUT);
            }
            at(self.texts.len())
        });
        self.entries.push(Entry {
            order,
            time,
            client: line.client,
            destination: line.destination,
            status: line.status,
            bytes_in: line.bytes_in,
            bytes_out: line.bytes_out,
            decision: line.decision,
            caller,
            refused: line.refused,
            aborted: line.aborted,
            total: line.total,
            upstream: line.upstream,
            held: line.held,
            replica: line.replica,
            protocol: line.protocol,
            tls: line.tls,
            start,
            ends,
        });
    }
}

#[derive(Debug)]
struct Ring {
    full: VecDeque<Arc<Block>>,
    filling: Block,
    max_full: usize,
    last: u64,
}

impl Ring {
    fn new(max_full: usize) -> Self {
        Self { full: VecDeque::new(), filling: Block::default(), max_full, last: 0 }
    }

    fn push(&mut self, line: &Line<'_>, now: Duration) {
        if self.filling.is_full() {
            self.next_block();
        }
        self.last = self.last.max(u64::try_from(now.as_micros()).unwrap_or(u64::MAX));
        let time = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        self.filling.push(line, self.last, time);
    }

    fn next_block(&mut self) {
        // The oldest block is reused, unless a reader holds it.
        let oldest = if self.full.len() == self.max_full { self.full.pop_front() } else { None };
        let mut next = oldest.and_then(Arc::into_inner).unwrap_or_default();
        next.entries.clear();
        next.texts.clear();
        next.first = self.filling.end();
        self.full.push_back(Arc::new(std::mem::replace(&mut self.filling, next)));
    }

    fn view(&self) -> Vec<Arc<Block>> {
        self.full.iter().cloned().chain([Arc::new(self.filling.clone())]).collect()
    }
}

/// A worker's last requests.
#[derive(Debug)]
pub(super) struct Recent {
    apps: Ring,
    others: Ring,
}

impl Default for Recent {
    fn default() -> Self {
        Self { apps: Ring::new(APP_BLOCKS), others: Ring::new(OTHER_BLOCKS) }
    }
}

impl Recent {
    pub(super) fn push(&mut self, line: &Line<'_>, now: SystemTime) {
        let ring = match line.destination {
            Destination::App { .. } => &mut self.apps,
            Destination::Local if is_own(line) => return,
            Destination::Api | Destination::Local | Destination::Nowhere => &mut self.others,
        };
        ring.push(line, now.duration_since(UNIX_EPOCH).unwrap_or_default());
    }

    /// Number of requests that were recorded.
    pub(super) fn count(&self) -> u64 {
        self.apps.filling.end() + self.others.filling.end()
    }

    /// A view of both rings.
    pub(super) fn view(&self) -> [Vec<Arc<Block>>; 2] {
        [self.apps.view(), self.others.view()]
    }
}

/// A request that is read.
#[derive(Clone, Copy)]
pub(crate) struct SeenRequest<'a> {
    entry: &'a Entry,
    texts: &'a [u8],
}

impl SeenRequest<'_> {
    /// Its destination.
    pub(crate) fn door(&self) -> Door {
        match self.entry.destination {
            Destination::App { .. } => Door::App,
            Destination::Api => Door::Api,
            Destination::Local => Door::Local,
            Destination::Nowhere => Door::None,
        }
    }

    /// The app that its host names.
    pub(crate) fn app(&self) -> Option<AppId> {
        match self.entry.destination {
            Destination::App { id, .. } => Some(id),
            _ => None,
        }
    }

    /// The token that it came with.
    pub(crate) fn token(&self) -> Option<TokenId> {
        match self.entry.caller {
            Caller::Token(id) => Some(id),
            _ => None,
        }
    }

    /// Its id.
    pub(crate) fn id(&self) -> &[u8] {
        self.text(Text::Id)
    }

    /// The path as it is shown.
    pub(crate) fn path(&self) -> String {
        visible(self.text(Text::Path))
    }

    /// When it ended, in milliseconds of Unix time.
    pub(crate) fn time(&self) -> i64 {
        self.entry.time
    }

    /// Whether the gateway or the API rejected the request; responses of apps do not count.
    pub(crate) fn is_denied(&self) -> bool {
        self.entry.decision.is_denial(self.app().is_some(), self.entry.status)
    }

    /// Whether the reason tells what the caller's token may do.
    pub(crate) fn tells_scope(&self) -> bool {
        matches!(self.entry.decision, Decision::Forbidden | Decision::OutOfScope)
    }

    fn text(&self, text: Text) -> &[u8] {
        let at = text as usize;
        let start = at.checked_sub(1).map_or(self.entry.start, |before| self.entry.ends[before]);
        self.texts.get(start.into()..self.entry.ends[at].into()).unwrap_or_default()
    }

    /// Converts it, but for what has to be looked up of the app.
    pub(crate) fn record(&self) -> RequestRecord {
        let entry = self.entry;
        let words = |text| String::from_utf8_lossy(self.text(text)).into_owned();
        let some = |text| Some(words(text)).filter(|text| !text.is_empty());
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let mut client = Vec::new();
        address(entry.client, &mut client);
        RequestRecord {
            time: Timestamp::from_millisecond(entry.time).unwrap_or_default(),
            id: words(Text::Id),
            client: Some(String::from_utf8_lossy(&client).into_owned()),
            door: self.door(),
            app: self.app(),
            app_name: None,
            region: None,
            port: match entry.destination {
                Destination::App { port, .. } => port,
                _ => None,
            },
            protocol: entry.protocol.as_str().to_owned(),
            tls: entry.tls,
            method: visible(self.text(Text::Method)),
            path: visible(self.text(Text::Path)),
            status: entry.status,
            bytes_in: entry.bytes_in,
            bytes_out: entry.bytes_out,
            decision: entry.decision.as_str().map(str::to_owned),
            token: self.token(),
            token_name: some(Text::Name).filter(|_| self.token().is_some()),
            user: some(Text::Name).filter(|_| entry.caller == Caller::User),
            withheld: false,
            refused: entry.refused.map(|refused| refused.label().to_owned()),
            reason: some(Text::Reason),
            aborted: entry.aborted.map(|aborted| aborted.as_str().to_owned()),
            micros: micros(entry.total),
            upstream_micros: entry.upstream.map(micros),
            held_micros: Some(entry.held).filter(|held| !held.is_zero()).map(micros),
            replica: Some(entry.replica).filter(|ordinal| *ordinal > 0),
        }
    }
}

/// Text that came over the connection, with percent-encoding where it should have had it.
fn visible(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b' '..0x7f => out.push(char::from(*byte)),
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

/// The position of a reader, in each ring of an emulator's run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    run: u64,
    at: Vec<u64>,
}

impl Cursor {
    /// As text that tells the reader nothing: positions count the requests of all callers.
    fn seal(&self, seal: &Seal) -> Option<String> {
        let at: Vec<u8> = self.at.iter().flat_map(|at| at.to_be_bytes()).collect();
        Some(format!("{:016x}.{}", self.run, seal.seal(&self.run.to_be_bytes(), at)?))
    }

    fn open(text: &str, run: u64, seal: &Seal) -> Option<Self> {
        let (of, sealed) = text.split_once('.')?;
        let of = u64::from_str_radix(of, 16).ok()?;
        if of != run {
            // Its key is gone with that run.
            return Some(Self { run: of, at: Vec::new() });
        }
        let at = seal.open(&run.to_be_bytes(), sealed.as_bytes())?;
        let at = at.chunks_exact(8).filter_map(|at| at.try_into().ok().map(u64::from_be_bytes));
        Some(Self { run, at: at.collect() })
    }
}

/// A page of requests.
#[derive(Debug)]
pub(crate) struct RecentPage<T> {
    /// In the order in which the requests ended.
    pub(crate) items: Vec<T>,
    /// Where the next page begins.
    pub(crate) next: Cursor,
    /// Number of requests that were overwritten before they were read.
    pub(crate) lost: u64,
}

/// The last requests of all workers, at one moment.
pub(crate) struct View {
    run: u64,
    seal: Arc<Seal>,
    rings: Vec<Vec<Arc<Block>>>,
}

impl View {
    pub(super) fn new(run: u64, seal: Arc<Seal>, rings: Vec<Vec<Arc<Block>>>) -> Self {
        Self { run, seal, rings }
    }

    /// The text of a cursor; none when there are no random numbers.
    pub(crate) fn seal(&self, cursor: &Cursor) -> Option<String> {
        cursor.seal(&self.seal)
    }

    /// The cursor that this is the text of.
    pub(crate) fn open(&self, text: &str) -> Option<Cursor> {
        Cursor::open(text, self.run, &self.seal)
    }

    /// Reads the last `max` requests that `show` accepts; with a cursor, the first ones after it. A
    /// cursor of another run is before all of them.
    pub(crate) fn read<T>(
        &self,
        after: Option<&Cursor>,
        max: usize,
        mut show: impl FnMut(SeenRequest<'_>) -> Option<T>,
    ) -> RecentPage<T> {
        let known = after.filter(|after| after.run == self.run);
        let begin = |ring: usize| known.and_then(|known| known.at.get(ring).copied()).unwrap_or(0);
        let mut lost = 0;
        let mut all = Vec::new();
        let mut next: Vec<u64> = Vec::with_capacity(self.rings.len());
        for (at, ring) in self.rings.iter().enumerate() {
            let oldest = ring.first().map_or(0, |block| block.first);
            let begin = begin(at);
            if known.is_some() {
                lost += oldest.saturating_sub(begin);
            }
            next.push(begin.max(oldest));
            for block in ring.iter().filter(|block| block.end() > begin) {
                let numbers = (block.first..).zip(&block.entries);
                let new = numbers.filter(|(number, _)| *number >= begin);
                all.extend(new.map(|(number, entry)| (entry.order, at, number, entry, block)));
            }
        }
        // The requests of one ring keep their order.
        all.sort_by_key(|(order, at, number, ..)| (*order, *at, *number));
        let mut items = Vec::new();
        if after.is_some() {
            for (_, at, number, entry, block) in all {
                if items.len() == max {
                    break;
                }
                items.extend(show(SeenRequest { entry, texts: &block.texts }));
                next[at] = number + 1;
            }
        } else {
            for (_, _, _, entry, block) in all.into_iter().rev() {
                if items.len() == max {
                    break;
                }
                items.extend(show(SeenRequest { entry, texts: &block.texts }));
            }
            items.reverse();
            let ends = self.rings.iter().map(|ring| ring.last().map_or(0, |block| block.end()));
            next = ends.collect();
        }
        RecentPage { items, next: Cursor { run: self.run, at: next }, lost }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::line::tests::line;
    use super::*;

    fn at(micros: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(micros)
    }

    fn paths(view: &View, after: Option<&Cursor>, max: usize) -> (Vec<String>, Cursor, u64) {
        let page = view.read(after, max, |seen| Some(seen.record().path));
        (page.items, page.next, page.lost)
    }

    fn push(recent: &mut Recent, path: &str, now: u64) {
        recent.push(&Line { path: path.as_bytes(), ..line() }, at(now));
    }

    fn view(workers: &[Recent]) -> View {
        View::new(7, Arc::default(), workers.iter().flat_map(Recent::view).collect())
    }

    #[test]
    fn a_record_equals_its_log_line() {
        let mut recent = Recent::default();
        for shown in [
            line(),
            Line {
                destination: Destination::App {
                    id: AppId(Uuid::nil()),
                    known: false,
                    port: Some(8501),
                },
                path: b"/a\x1b b?secret",
                who: Who::User("J\u{fc}rgen"),
                decision: Decision::OutOfScope,
                refused: Some(RefusalKind::Forbidden),
                reason: "a\nb",
                aborted: Some(Aborted::App),
                upstream: None,
                held: Duration::from_secs(2),
                replica: 0,
                protocol: Protocol::Http2,
                tls: true,
                ..line()
            },
            Line { destination: Destination::Api, who: Who::Anonymous, ..line() },
        ] {
            recent.push(&shown, at(1_500));
            let mut written = Vec::new();
            shown.write(&super::super::Stamp::of(at(1_500)), None, &mut written);
            let logged: RequestRecord = serde_json::from_slice(&written).expect("a record");
            let page =
                view(&[std::mem::take(&mut recent)]).read(None, 9, |seen| Some(seen.record()));
            assert_eq!(page.items, [logged]);
        }
    }

    #[test]
    fn records_of_workers_are_merged_and_a_reader_continues() {
        let mut workers = [Recent::default(), Recent::default()];
        for (worker, path, now) in [(0, "/1", 10), (1, "/2", 20), (0, "/3", 30), (1, "/4", 40)] {
            push(&mut workers[worker], path, now);
        }
        // A clock that is set back changes no order within a worker.
        push(&mut workers[1], "/5", 5);
        assert_eq!(paths(&view(&workers), None, 9).0, ["/1", "/2", "/3", "/4", "/5"]);
        let (last, end, _) = paths(&view(&workers), None, 2);
        assert_eq!(last, ["/4", "/5"]);
        assert_eq!(paths(&view(&workers), Some(&end), 9).0, [""; 0]);
        push(&mut workers[0], "/6", 60);
        push(&mut workers[1], "/7", 70);
        let (first, middle, _) = paths(&view(&workers), Some(&end), 1);
        assert_eq!(first, ["/6"]);
        let now = view(&workers);
        let texts = [(); 2].map(|()| now.seal(&middle).expect("random numbers"));
        assert_ne!(texts[0], texts[1], "equal positions do not look equal");
        let middle = now.open(&texts[0]).expect("a cursor");
        assert_eq!(paths(&view(&workers), Some(&middle), 9).0, ["/7"]);
        // Of another run.
        let of_run = now.seal(&middle).expect("random numbers").replacen('7', "8", 1);
        let of_other_run = now.open(&of_run).expect("a cursor");
        assert_eq!(paths(&view(&workers), Some(&of_other_run), 9).0.len(), 7);
        let forged = format!("{:016x}.{}", 7, "A".repeat(60));
        for bad in ["", "x", "1", "x.1", "7.1.2", &forged] {
            assert!(now.open(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn rings_are_bounded_and_count_lost_records() {
        let mut workers = [Recent::default()];
        push(&mut workers[0], "/first", 1);
        let (_, cursor, _) = paths(&view(&workers), None, 9);
        let held = view(&workers);
        let many = BLOCK * (APP_BLOCKS + 3);
        for number in 0..many {
            push(&mut workers[0], &format!("/{number}"), 2);
        }
        let (kept, _, lost) = paths(&view(&workers), Some(&cursor), usize::MAX);
        assert_eq!(kept.last(), Some(&format!("/{}", many - 1)));
        assert_eq!(kept.len() as u64 + lost, many as u64);
        assert!(kept.len() >= BLOCK * APP_BLOCKS && kept.len() <= BLOCK * (APP_BLOCKS + 1));
        assert_eq!(paths(&held, None, 9).0, ["/first"], "what is read does not change");

        // As long as they may be: fewer, in the same room.
        let long = "/x".repeat(4000);
        for _ in 0..many {
            push(&mut workers[0], &long, 3);
        }
        let recent = &workers[0].apps;
        let bytes: usize = recent.full.iter().map(|block| block.texts.capacity()).sum();
        assert!(bytes <= APP_BLOCKS * BLOCK_TEXT * 2, "{bytes}");
        let (kept, ..) = paths(&view(&workers), None, 1);
        assert_eq!(kept[0].len(), PATH_MAX + CUT.len());
    }

    #[test]
    fn api_calls_displace_no_app_requests_and_reading_is_not_recorded() {
        let mut workers = [Recent::default()];
        push(&mut workers[0], "/app", 1);
        for _ in 0..BLOCK * (OTHER_BLOCKS + APP_BLOCKS + 2) {
            workers[0].push(&Line { destination: Destination::Api, ..line() }, at(2));
        }
        let own =
            Line { destination: Destination::Local, path: b"/_emulator/requests?app=x", ..line() };
        workers[0].push(&own, at(3));
        let page = view(&workers).read(None, usize::MAX, |seen| Some((seen.door(), seen.time())));
        assert_eq!(page.items.first(), Some(&(Door::App, 0)));
        assert!(page.items.iter().all(|(door, _)| *door != Door::Local));
    }

    #[test]
    fn denied_requests_are_selected() {
        let denied = |line: Line<'_>| {
            let mut recent = Recent::default();
            recent.push(&line, at(1));
            view(&[recent]).read(None, 1, |seen| Some(seen.is_denied())).items == [true]
        };
        let unasked = |destination, status, refused| Line {
            decision: Decision::Unasked,
            destination,
            status,
            refused,
            ..line()
        };
        let app = line().destination;
        assert!(denied(Line { decision: Decision::OutOfScope, status: 403, ..line() }));
        assert!(!denied(Line { status: 403, ..line() }), "the app's own answer");
        assert!(denied(unasked(app, 429, None)));
        assert!(!denied(unasked(app, 503, Some(RefusalKind::NotReady))));
        assert!(denied(unasked(Destination::Api, 401, None)));
        assert!(!denied(unasked(Destination::Api, 404, None)));
    }
}
