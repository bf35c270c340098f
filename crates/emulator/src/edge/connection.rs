//! A client's connection that speaks HTTP/1: one request after the other.

use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use hyper::Response;
use ovhai_wire::body::{Decoder, Piece};
use ovhai_wire::buffer::{Buffer, Fill};
use ovhai_wire::deadline::Deadline;
use ovhai_wire::fields::Known;
use ovhai_wire::framing::{Framing, Malformed};
use ovhai_wire::request::{RequestHead, Version, no_fields};
use ovhai_wire::scan::{HeadLimits, Scanner};
use ovhai_wire::stream::{Peer, Stream};
use ovhai_wire::tunnel;
use ovhai_wire::write::After;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::doors;
use super::frames::PREFACE;
use super::idle::IdleGuard;
use super::plan::{Local, Plan, Planned, body_too_large, plan};
use super::respond::{RefusalFacts, ResponseMode, Sent, refuse, respond};
use super::streamed::{self, BodyEnd, Source};
use super::{Worker, http2};
use crate::domain_time;
use crate::gateway::access::CallerAccess;
use crate::gateway::admission::Pass;
use crate::gateway::body::ServerBody;
use crate::gateway::compose;
use crate::gateway::cors::RefusalReaders;
use crate::gateway::exchange::http1_client::{self, ClientSide, ExchangeEnd, Http1Request};
use crate::gateway::exchange::{ExchangeParams, SLOW_BODY};
use crate::gateway::hold::{Hold, HoldLimit, LOOK_EVERY};
use crate::gateway::refusal::Refusal;
use crate::gateway::reserved::RESERVED;
use crate::gateway::tunnel::CallTunnel;
use crate::gateway::upstream::Upstream;
use crate::pieces;
use crate::telemetry::{Aborted, Note, Protocol, RefusalKind};

/// Maximum bytes of a refused request's body that are read, so that the connection can go on.
const DISCARD_MAX: usize = 64 * 1024;
/// Maximum size of the buffers that an idle connection keeps, in bytes.
const ROOM_MAX: usize = 16 * 1024;
/// Time that a refused client has to read why, before the connection is closed.
const LINGER: Duration = Duration::from_secs(5);

/// Time for a call whose caller's access was revoked to end its protocol.
const FAREWELL: Duration = Duration::from_secs(1);
/// Turns of the worker in which a tunnel passes on what a call wrote last.
const LAST_TURNS: usize = 8;

/// What becomes of a connection after a request.
enum End {
    GoesOn,
    /// It closes once the client has got what was written.
    Closes {
        unread: bool,
    },
    Aborted(Aborted),
}

impl Sent {
    fn end(self, unread: bool) -> End {
        match (self.whole, self.after) {
            (false, _) => End::Aborted(Aborted::Client),
            (true, After::Close) => End::Closes { unread },
            (true, _) => End::GoesOn,
        }
    }
}

/// What comes next on a connection.
enum Next {
    Head(Range<usize>),
    Http2,
    Closed,
    Bad(Malformed),
    Slow,
}

/// The parts of a head that the connection needs.
#[derive(Debug, Clone, Copy)]
struct Facts {
    framing: Framing,
    expects_continue: bool,
    mode: ResponseMode,
}

impl Facts {
    /// Of a head that is malformed.
    const MALFORMED: Self = Self {
        framing: Framing::UntilClose,
        expects_continue: false,
        mode: ResponseMode { after: After::Close, is_http11: true, head_only: false },
    };
}

/// What a head asks for, what of it counts for the connection, and its record.
struct Understood(Result<Planned<Http1Request>, Refusal>, Facts, Note);

/// The same, after the request has waited if it had to; no plan: its client has hung up meanwhile.
type Decided = (Option<Result<Plan<Http1Request>, Refusal>>, Facts, Note);

struct Connection<S> {
    stream: S,
    input: Buffer,
    clock: Deadline,
    client: Peer,
    worker: Arc<Worker>,
    /// The pages that may read a refusal of the request.
    readers: RefusalReaders,
    /// Buffers that every request uses again.
    out: Vec<u8>,
    head: Vec<u8>,
    known: Vec<Known>,
    text: Vec<u8>,
}

/// Serves a connection until it ends.
pub(super) async fn serve<S: Stream>(
    stream: S,
    client: Peer,
    guard: IdleGuard,
    worker: Arc<Worker>,
) {
    let clock = Deadline::new(worker.relay.limits.head_timeout, worker.relay.limits.body_timeout);
    let mut connection = Connection {
        stream,
        input: Buffer::default(),
        clock,
        client,
        worker,
        readers: RefusalReaders::default(),
        out: Vec::new(),
        head: Vec::new(),
        known: Vec::new(),
        text: Vec::new(),
    };
    if connection.run(&guard).await {
        let Connection { stream, input, client, worker, .. } = connection;
        http2::serve(stream, input, client, guard, worker).await;
    }
}

impl<S: Stream> Connection<S> {
    /// Serves requests until the connection ends. Returns whether it goes on as HTTP/2.
    async fn run(&mut self, guard: &IdleGuard) -> bool {
        let worker = Arc::clone(&self.worker);
        let mut stopping = pin!(worker.shared.stopping.cancelled());
        let mut is_first = true;
        loop {
            let next = self.next(guard, is_first, stopping.as_mut()).await;
            is_first = false;
            let (plan, facts, mut note) = match next {
                Next::Head(range) => self.decide(range, guard).await,
                Next::Http2 => return true,
                Next::Closed => return false,
                Next::Bad(malformed) => self.refused(malformed.into()),
                Next::Slow => {
                    let why = "the request's head did not come in time";
                    self.refused(Refusal::new(RefusalKind::Slow, why))
                }
            };
            let end = match plan {
                None => End::Aborted(Aborted::Client),
                Some(Ok(Plan::Pass(order))) => {
                    guard.set_busy();
                    self.pass(*order, facts, &mut note).await
                }
                Some(Ok(Plan::Answer(local))) => self.answer(local, facts, guard, &mut note).await,
                Some(Err(refusal)) => {
                    let refused = pin!(self.refuse(refusal, facts, &mut note));
                    let end = guard.unless_evicted(refused).await;
                    end.unwrap_or(End::Aborted(Aborted::Client))
                }
            };
            let aborted = if let End::Aborted(by) = end { Some(by) } else { None };
            self.text = self.worker.record(note, self.client, aborted);
            match end {
                End::GoesOn => self.shrink(),
                End::Closes { unread } => {
                    guard.set_waiting(Instant::now());
                    guard.unless_evicted(pin!(self.linger(unread))).await;
                    return false;
                }
                End::Aborted(_) => return false,
            }
        }
    }

    /// Gives memory back that only a large message needed: the connection may be idle from now on.
    fn shrink(&mut self) {
        self.input.shrink();
        for room in [&mut self.out, &mut self.head, &mut self.text] {
            if room.capacity() > ROOM_MAX {
                *room = Vec::new();
            }
        }
    }

    /// Waits for the next head.
    async fn next(
        &mut self,
        guard: &IdleGuard,
        is_first: bool,
        mut stopping: Pin<&mut impl Future>,
    ) -> Next {
        let limits = self.worker.relay.limits;
        let sizes = HeadLimits { line: limits.line_max, fields: limits.head_max };
        let mut scanner = Scanner::default();
        let mut has_begun = is_first;
        let time = if is_first { limits.head_timeout } else { limits.idle_timeout };
        guard.set_waiting(self.clock.set(time).into_std());
        poll_fn(|cx| {
            loop {
                let bytes = self.input.filled();
                // A client may know beforehand that HTTP/2 is spoken here.
                if is_first && bytes.starts_with(PREFACE) {
                    return Poll::Ready(Next::Http2);
                }
                if !bytes.is_empty() {
                    let may_be_http2 = is_first && PREFACE.starts_with(bytes);
                    if !may_be_http2 {
                        match scanner.find(bytes, sizes) {
                            Ok(Some(range)) => return Poll::Ready(Next::Head(range)),
                            Ok(None) => {}
                            Err(malformed) => return Poll::Ready(Next::Bad(malformed)),
                        }
                    }
                    if !std::mem::replace(&mut has_begun, true) {
                        self.clock.set(limits.head_timeout);
                    }
                }
                let most = limits.line_max + limits.head_max + 1024;
                match self.input.poll_fill(cx, &mut self.stream, most) {
                    Poll::Ready(Ok(Fill::Read(_))) => {}
                    // Full: the scanner refuses a head before it is.
                    Poll::Ready(Ok(Fill::End | Fill::Full) | Err(_)) => {
                        return Poll::Ready(Next::Closed);
                    }
                    Poll::Pending => {
                        let is_idle = self.input.is_empty();
                        if is_idle && stopping.as_mut().poll(cx).is_ready() {
                            return Poll::Ready(Next::Closed);
                        }
                        if guard.poll_evicted(cx).is_ready() {
                            return Poll::Ready(Next::Closed);
                        }
                        if self.clock.poll(cx).is_ready() {
                            let next = if is_idle { Next::Closed } else { Next::Slow };
                            return Poll::Ready(next);
                        }
                        return Poll::Pending;
                    }
                }
            }
        })
        .await
    }

    /// The record of a head that can't be understood.
    fn unknown(&mut self) -> Note {
        self.readers = RefusalReaders::Anyone;
        self.worker.note(Protocol::Http11, std::mem::take(&mut self.text))
    }

    /// Refuses a head that can't be understood.
    fn refused(&mut self, refusal: Refusal) -> Decided {
        let note = self.unknown();
        (Some(Err(refusal)), Facts::MALFORMED, note)
    }

    /// Understands a head, and takes it out of what was read. A request for an app that is asleep
    /// waits here, and is understood again then.
    async fn decide(&mut self, range: Range<usize>, guard: &IdleGuard) -> Decided {
        let Understood(planned, facts, note) = self.plan(range.clone(), None);
        match planned {
            Ok(Planned::Now(plan)) => (Some(Ok(plan)), facts, note),
            Err(refusal) => (Some(Err(refusal)), facts, note),
            Ok(Planned::Wait(hold)) => {
                guard.set_busy();
                // Apart, or every request would have its size.
                Box::pin(self.wait(hold, range, facts, note)).await
            }
        }
    }

    async fn wait(
        &mut self,
        mut hold: Box<Hold>,
        range: Range<usize>,
        facts: Facts,
        mut note: Note,
    ) -> Decided {
        let worker = Arc::clone(&self.worker);
        let limit = HoldLimit::new();
        loop {
            let since = Instant::now();
            let mut over = pin!(hold.over(&worker.relay.gateway, limit));
            let over = loop {
                match tokio::time::timeout(LOOK_EVERY, over.as_mut()).await {
                    Ok(over) => break over,
                    Err(_) if self.stream.is_closed() => {
                        note.was_held(since.elapsed());
                        return (None, facts, note);
                    }
                    Err(_) => {}
                }
            };
            note.was_held(since.elapsed());
            if let Err(refusal) = over {
                self.input.consume(range.end);
                return (Some(Err(refusal)), facts, note);
            }
            let Understood(planned, _, noted) = self.plan(range.clone(), Some(note));
            note = noted;
            match planned {
                Ok(Planned::Now(plan)) => return (Some(Ok(plan)), facts, note),
                Err(refusal) => return (Some(Err(refusal)), facts, note),
                Ok(Planned::Wait(again)) => hold = again,
            }
        }
    }

    /// Understands a head, and takes it out of what was read unless it has to wait.
    fn plan(&mut self, range: Range<usize>, earlier: Option<Note>) -> Understood {
        let mut fields = no_fields();
        let known = std::mem::take(&mut self.known);
        let bytes = &self.input.filled()[range.clone()];
        let head = match RequestHead::parse(bytes, &mut fields, known, &RESERVED) {
            Ok(head) => head,
            Err(malformed) => {
                self.input.consume(range.end);
                return Understood(Err(malformed.into()), Facts::MALFORMED, self.unknown());
            }
        };
        let is_http11 = head.version == Version::Http11;
        let after = match (head.keep_alive && !self.worker.relay.is_stopping(), is_http11) {
            (false, _) => After::Close,
            (true, true) => After::KeepAlive,
            (true, false) => After::SayKeepAlive,
        };
        let facts = Facts {
            framing: head.framing,
            expects_continue: head.expects_continue,
            mode: ResponseMode { after, is_http11, head_only: head.method == "HEAD" },
        };
        let text = &mut self.text;
        let mut note = earlier.unwrap_or_else(|| self.worker.note_of(&head, std::mem::take(text)));
        let (mut readers, client) = (RefusalReaders::NoPage, self.client);
        let mut out = std::mem::take(&mut self.head);
        let pass = |pass: Pass, _, note: &Note| {
            out.clear();
            compose::request(&mut out, &head, &pass.route, client, note.id().as_bytes());
            let params = ExchangeParams::of(&head);
            Http1Request { pass, head: std::mem::take(&mut out), params, is_http11, after }
        };
        let plan = plan(&self.worker, &head, client, &mut note, &mut readers, pass);
        self.head = out;
        (self.known, self.readers) = (head.known, readers);
        if !matches!(plan, Ok(Planned::Wait(_))) {
            self.input.consume(range.end);
        }
        Understood(plan, facts, note)
    }

    async fn pass(&mut self, order: Http1Request, facts: Facts, note: &mut Note) -> End {
        let client = ClientSide {
            stream: &mut self.stream,
            input: &mut self.input,
            deadline: &mut self.clock,
            out: std::mem::take(&mut self.out),
        };
        note.turned_to_the_app();
        match http1_client::run(client, order, &self.worker.relay, note).await {
            ExchangeEnd::Answered(answered) => {
                (self.head, self.out) = (answered.head, answered.out);
                if let Some(by) = answered.aborted {
                    if answered.unclear {
                        self.stream.abort();
                    }
                    return End::Aborted(by);
                }
                if answered.keep {
                    End::GoesOn
                } else {
                    End::Closes { unread: facts.framing != Framing::None }
                }
            }
            ExchangeEnd::Refused { refusal, head, out } => {
                (self.head, self.out) = (head, out);
                self.refuse_late(refusal, facts, note).await
            }
            ExchangeEnd::Gone => End::Aborted(Aborted::Client),
            ExchangeEnd::Tunnel { upstream, access } => {
                let Upstream { stream, buffer, .. } = *upstream;
                let over = access.until_over(&self.worker.relay.gateway);
                self.tunnel(stream, buffer, over, note).await
            }
        }
    }

    /// Passes bytes both ways between the client and the far side, until one of them ends the
    /// tunnel or it is over. Some bytes may have been read already.
    async fn tunnel<F: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        mut far: F,
        to_client: Buffer,
        over: impl Future<Output = Option<Aborted>>,
        note: &mut Note,
    ) -> End {
        let from_client = std::mem::take(&mut self.input);
        (self.out, self.head, self.known) = (Vec::new(), Vec::new(), Vec::new());
        let _open = self.worker.shared.telemetry.tunnel_opened();
        let patience = self.worker.relay.limits.body_timeout;
        let passed =
            tunnel::run(&mut self.stream, &mut far, from_client, to_client, over, patience).await;
        (note.bytes_in, note.bytes_out) = (passed.to_far, passed.to_near);
        match passed.ended_by.flatten() {
            Some(aborted) => End::Aborted(aborted),
            None => End::Closes { unread: false },
        }
    }

    /// Answers a request here, without an app.
    async fn answer(
        &mut self,
        local: Box<Local>,
        facts: Facts,
        guard: &IdleGuard,
        note: &mut Note,
    ) -> End {
        let local = match local.streamed() {
            Ok(call) => {
                guard.set_busy();
                // Apart, or every request would have its size.
                return Box::pin(self.answer_streamed(call, facts, note)).await;
            }
            Err(local) => local,
        };
        let body = match self.whole_body(facts, local.body_max(), guard).await {
            Ok(body) => body,
            Err(Some(refusal)) => return self.refuse_late(refusal, facts, note).await,
            Err(None) => return End::Aborted(Aborted::Client),
        };
        note.bytes_in = body.len() as u64;
        match local.run(&self.worker, self.client, body.into()).await {
            doors::Outcome::Response(response) => {
                self.give(response, facts.mode, guard, note).await
            }
            doors::Outcome::Tunnel(response, tunnel) => {
                let CallTunnel { stream, admission, done } = *tunnel;
                let response = response.map(|()| ServerBody::text(""));
                let mode = ResponseMode { after: After::KeepAlive, ..facts.mode };
                match self.respond(response, mode, false, note).await {
                    End::GoesOn => {
                        let access = CallerAccess::new(admission);
                        let over = access.until_over(&self.worker.relay.gateway);
                        let revoked = Mutex::new(None);
                        let over = async {
                            let why = over.await;
                            *revoked.lock().unwrap_or_else(PoisonError::into_inner) = why;
                            // The call notices the revocation itself, and ends its protocol first.
                            let _ = tokio::time::timeout(FAREWELL, done).await;
                            // The tunnel passes on what the call wrote last before it breaks.
                            for _ in 0..LAST_TURNS {
                                tokio::task::yield_now().await;
                            }
                            why
                        };
                        let end = self.tunnel(stream, Buffer::default(), over, note).await;
                        // The call may have ended the tunnel before it broke.
                        let revoked = revoked.into_inner().unwrap_or_else(PoisonError::into_inner);
                        revoked.map_or(end, End::Aborted)
                    }
                    end => end,
                }
            }
        }
    }

    /// Answers a call that reads its body as it comes. Its handler checks the caller before it reads.
    async fn answer_streamed(&mut self, call: doors::Call, facts: Facts, note: &mut Note) -> End {
        let worker = Arc::clone(&self.worker);
        let pause = worker.relay.limits.body_timeout;
        if facts.expects_continue && self.go_on().await.is_none() {
            return End::Aborted(Aborted::Client);
        }
        let (maker, body) = pieces::body(None);
        let call = doors::call(&worker.shared, call, body);
        let (stream, input, clock) = (&mut self.stream, &mut self.input, &mut self.clock);
        let source = Source { stream, input, clock, framing: facts.framing, pause };
        let count = AtomicU64::new(0);
        let (outcome, ended) = streamed::answered(call, source.pass(maker, &count)).await;
        note.bytes_in = count.into_inner();
        if ended == BodyEnd::Gone {
            return End::Aborted(Aborted::Client);
        }
        let doors::Outcome::Response(response) = outcome else {
            let refusal = Refusal::new(RefusalKind::Internal, "internal error");
            return self.refuse_late(refusal, facts, note).await;
        };
        let unread = ended != BodyEnd::Whole;
        let mut mode = facts.mode;
        if unread {
            mode.after = After::Close;
        }
        self.respond(response, mode, unread, note).await
    }

    /// Sends 100 (Continue); none if the client has gone.
    async fn go_on(&mut self) -> Option<()> {
        let told = async {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            self.stream.flush().await
        };
        tokio::time::timeout(self.worker.relay.limits.body_timeout, told).await.ok()?.ok()
    }

    /// Sends the response of a call. An unknown client may leave one that is complete unread, so
    /// that its connection counts as idle meanwhile.
    async fn give(
        &mut self,
        response: Response<ServerBody>,
        mode: ResponseMode,
        guard: &IdleGuard,
        note: &mut Note,
    ) -> End {
        let is_whole = response.body().is_whole();
        let sent = pin!(self.respond(response, mode, false, note));
        if !is_whole {
            return sent.await;
        }
        guard.set_waiting(Instant::now());
        let end = guard.unless_evicted(sent).await;
        end.unwrap_or(End::Aborted(Aborted::Client))
    }

    /// Reads a call's body. The error is the refusal; none if the client has gone. The caller is
    /// unknown yet, so that its connection counts as idle meanwhile.
    async fn whole_body(
        &mut self,
        facts: Facts,
        most: usize,
        guard: &IdleGuard,
    ) -> Result<Vec<u8>, Option<Refusal>> {
        let mut body = Vec::new();
        match facts.framing {
            Framing::None | Framing::UntilClose => {
                guard.set_busy();
                return Ok(body);
            }
            Framing::Length(length) if length > most as u64 => {
                return Err(Some(body_too_large(most)));
            }
            Framing::Length(_) | Framing::Chunked => {}
        }
        if facts.expects_continue {
            self.go_on().await.ok_or(None)?;
        }
        guard.set_waiting(Instant::now());
        let whole = self.read_body(facts.framing, |bytes| {
            body.extend_from_slice(bytes);
            body.len() <= most
        });
        let read = guard.unless_evicted(pin!(whole)).await;
        match read.unwrap_or(Read::Gone) {
            Read::Whole => {
                guard.set_busy();
                Ok(body)
            }
            Read::Enough => Err(Some(body_too_large(most))),
            Read::Bad(malformed) => Err(Some(malformed.into())),
            Read::Slow => Err(Some(Refusal::new(RefusalKind::Slow, SLOW_BODY))),
            Read::Gone => Err(None),
        }
    }

    /// Reads a body as long as `each` wants more of it.
    async fn read_body(&mut self, framing: Framing, mut each: impl FnMut(&[u8]) -> bool) -> Read {
        let mut decoder = Decoder::new(framing);
        let pause = self.worker.relay.limits.body_timeout;
        self.clock.set(pause);
        poll_fn(|cx| {
            loop {
                match decoder.next(self.input.filled()) {
                    Ok(Piece::End { skip, .. }) => {
                        self.input.consume(skip);
                        return Poll::Ready(Read::Whole);
                    }
                    Ok(Piece::Skip(count)) => self.input.consume(count),
                    Ok(Piece::Data { skip, len }) => {
                        let goes_on = each(&self.input.filled()[skip..skip + len]);
                        self.input.consume(skip + len);
                        if !goes_on {
                            return Poll::Ready(Read::Enough);
                        }
                    }
                    Ok(Piece::More) => {
                        match self.input.poll_fill(cx, &mut self.stream, DISCARD_MAX) {
                            Poll::Ready(Ok(Fill::Read(_))) => _ = self.clock.set(pause),
                            // Full: framing that never ends.
                            Poll::Ready(Ok(Fill::End | Fill::Full) | Err(_)) => {
                                return Poll::Ready(Read::Gone);
                            }
                            Poll::Pending if self.clock.poll(cx).is_ready() => {
                                return Poll::Ready(Read::Slow);
                            }
                            Poll::Pending => return Poll::Pending,
                        }
                    }
                    Err(malformed) => return Poll::Ready(Read::Bad(malformed)),
                }
            }
        })
        .await
    }

    /// Refuses a request of which only the head was read.
    async fn refuse(&mut self, refusal: Refusal, facts: Facts, note: &mut Note) -> End {
        let is_small = match facts.framing {
            Framing::None | Framing::Length(0) => true,
            Framing::Length(length) => !facts.expects_continue && length <= DISCARD_MAX as u64,
            Framing::Chunked => !facts.expects_continue,
            Framing::UntilClose => false,
        };
        if !is_small {
            return self.refuse_late(refusal, facts, note).await;
        }
        refusal.record(note);
        let has_body = facts.framing != Framing::None;
        let mut mode = facts.mode;
        if refusal.closes() {
            // The client may take what follows for something else, too.
            mode.after = After::Close;
        }
        let end = self.say_no(refusal, mode, has_body, note).await;
        if !matches!(end, End::GoesOn) || !has_body {
            return end;
        }
        // Read, so that the connection can go on.
        let mut left = DISCARD_MAX;
        let whole = self.read_body(facts.framing, |bytes| {
            left = left.saturating_sub(bytes.len());
            left > 0
        });
        match whole.await {
            Read::Whole => End::GoesOn,
            _ => End::Closes { unread: true },
        }
    }

    /// Refuses a request of whose body an unknown part was read.
    async fn refuse_late(&mut self, refusal: Refusal, facts: Facts, note: &mut Note) -> End {
        refusal.record(note);
        let mut mode = facts.mode;
        let has_body = !matches!(facts.framing, Framing::None | Framing::Length(0));
        if has_body {
            mode.after = After::Close;
        }
        self.say_no(refusal, mode, has_body, note).await
    }

    async fn say_no(
        &mut self,
        refusal: Refusal,
        mode: ResponseMode,
        unread: bool,
        note: &mut Note,
    ) -> End {
        let mut refusal = refusal.readable_by(&self.readers);
        let moved = domain_time::value(&**self.worker.shared.platform.clock());
        if let Some(mut page) = refusal.take_page() {
            if let Some(moved) = moved {
                page.headers_mut().insert(domain_time::NAME, moved);
            }
            return self.respond(page.map(ServerBody::text), mode, unread, note).await;
        }
        let (stream, clock) = (&mut self.stream, &mut self.clock);
        let (out, room) = (&mut self.out, &mut self.head);
        let facts = RefusalFacts { request_id: note.id().as_bytes(), domain_time: moved.as_ref() };
        let sent = refuse(stream, clock, out, room, &refusal, mode, facts).await;
        note.bytes_out = sent.bytes;
        sent.end(unread)
    }

    /// Sends a response of the emulator's own. `unread` says whether some of the request was not
    /// read.
    async fn respond(
        &mut self,
        response: Response<ServerBody>,
        mode: ResponseMode,
        unread: bool,
        note: &mut Note,
    ) -> End {
        note.answered(response.status());
        let (stream, input, clock) = (&mut self.stream, &mut self.input, &mut self.clock);
        let out = &mut self.out;
        let sent = respond(stream, input, clock, out, response, mode, note.id().as_bytes()).await;
        note.bytes_out = sent.bytes;
        sent.end(unread)
    }

    /// Closes so that the client gets what was written. What it still sends is read for a while,
    /// since closing with unread bytes would reset the connection.
    async fn linger(&mut self, sends_more: bool) {
        let said = tokio::time::timeout(LINGER, self.stream.shutdown()).await;
        if !matches!(said, Ok(Ok(()))) || (!sends_more && self.input.is_empty()) {
            return;
        }
        self.clock.set(LINGER);
        poll_fn(|cx| {
            loop {
                self.input.consume(usize::MAX);
                match self.input.poll_fill(cx, &mut self.stream, DISCARD_MAX) {
                    Poll::Ready(Ok(Fill::Read(_))) => {}
                    Poll::Ready(Ok(Fill::End | Fill::Full) | Err(_)) => return Poll::Ready(()),
                    Poll::Pending => return self.clock.poll(cx),
                }
            }
        })
        .await;
    }
}

/// How reading a body ended.
enum Read {
    Whole,
    Enough,
    Bad(Malformed),
    Slow,
    Gone,
}
