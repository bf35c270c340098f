//! Calls of the emulator for data stores, buckets and objects (the client's base is then its address
//! without a region).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use ovhai_api_types::{
    Bucket, BucketAddress, DataStore, ImportStep, NewDataStore, ObjectImport, ObjectName,
    ObjectNames, ObjectPage, ObjectTransfer, ObjectsDone, StoredObject,
};
use reqwest::{Method, Response};
use tokio::sync::mpsc;

use crate::control::segment;
use crate::{Client, Error, Result, encode};

/// Objects of a page.
const PAGE: &str = "10000";
/// Maximum number of objects in a call that names them.
const NAMES: usize = 1000;
/// Maximum number of pieces that wait to be sent.
const WAITING: usize = 4;
/// Size of the pieces that are gathered, in bytes.
const PIECE: usize = 256 * 1024;

/// The bytes of one object or several, which a thread that may block makes with an [`ObjectSink`].
#[derive(Debug)]
pub struct ObjectBody {
    receive: mpsc::Receiver<io::Result<Option<Bytes>>>,
    left: Option<u64>,
    is_over: bool,
}

/// Makes an [`ObjectBody`]. Dropped before [`ObjectSink::end`], it breaks the body off.
#[derive(Debug)]
pub struct ObjectSink {
    send: mpsc::Sender<io::Result<Option<Bytes>>>,
    piece: Vec<u8>,
}

impl ObjectBody {
    /// A body and its sink. A body of a known length has to get exactly that.
    pub fn new(length: Option<u64>) -> (ObjectSink, Self) {
        let (send, receive) = mpsc::channel(WAITING);
        let sink = ObjectSink { send, piece: Vec::new() };
        (sink, Self { receive, left: length, is_over: false })
    }
}

impl ObjectSink {
    fn send(&self, piece: io::Result<Option<Bytes>>) -> io::Result<()> {
        self.send.blocking_send(piece).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Passes on a whole piece without a copy.
    pub fn pass(&mut self, piece: Vec<u8>) -> io::Result<()> {
        io::Write::flush(self)?;
        self.send(Ok(Some(piece.into())))
    }

    /// Ends the body.
    pub fn end(mut self) -> io::Result<()> {
        io::Write::flush(&mut self)?;
        self.send(Ok(None))
    }
}

impl io::Write for ObjectSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.len() + bytes.len() > PIECE {
            self.flush()?;
        }
        self.piece.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.piece);
        self.send(Ok(Some(piece.into())))
    }
}

impl Body for ObjectBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let ended = match ready!(self.receive.poll_recv(cx)) {
            Some(Ok(Some(piece))) => {
                self.left = self.left.map(|left| left.saturating_sub(piece.len() as u64));
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            Some(Ok(None)) => None,
            Some(Err(error)) => Some(Err(error)),
            None => {
                Some(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file can't be read")))
            }
        };
        self.is_over = true;
        Poll::Ready(ended)
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// The bytes of one object or several, as they come.
#[derive(Debug)]
pub struct ObjectStream(Response);

impl ObjectStream {
    /// The next piece; none at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        self.0.chunk().await.map_err(Error::from_reqwest)
    }
}

fn bucket_path(address: &BucketAddress) -> String {
    format!("/_emulator/data/{}/{}", segment(&address.store), segment(&address.bucket))
}

fn object_path(address: &BucketAddress, name: &ObjectName) -> String {
    let (store, bucket) = (segment(&address.store), segment(&address.bucket));
    let parts: Vec<_> = name.parts().map(segment).collect();
    format!("/_emulator/objects/{store}/{bucket}/{}", parts.join("/"))
}

impl Client {
    /// The data stores.
    pub async fn data_stores(&self) -> Result<Vec<DataStore>> {
        self.get("/_emulator/data").await
    }

    /// Adds a data store.
    pub async fn add_data_store(&self, alias: &str, store: &NewDataStore) -> Result<DataStore> {
        let path = format!("/_emulator/data/{}", segment(alias));
        self.json(self.request(Method::PUT, &path).json(store)).await
    }

    /// Removes a data store; its files stay.
    pub async fn remove_data_store(&self, alias: &str) -> Result<()> {
        let path = format!("/_emulator/data/{}", segment(alias));
        self.send(self.request(Method::DELETE, &path)).await.map(drop)
    }

    /// The buckets of a data store.
    pub async fn buckets(&self, store: &str) -> Result<Vec<Bucket>> {
        self.get(&format!("/_emulator/data/{}", segment(store))).await
    }

    /// Creates a bucket unless it exists. Returns whether it is new.
    pub async fn create_bucket(&self, address: &BucketAddress) -> Result<bool> {
        let response = self.put(&bucket_path(address), None::<&()>).await?;
        Ok(response.status() == reqwest::StatusCode::CREATED)
    }

    /// Deletes an empty bucket.
    pub async fn delete_bucket(&self, address: &BucketAddress) -> Result<()> {
        self.send(self.request(Method::DELETE, &bucket_path(address))).await.map(drop)
    }

    /// The objects whose names begin with a prefix, by name.
    pub async fn objects(
        &self,
        address: &BucketAddress,
        prefix: &str,
    ) -> Result<Vec<StoredObject>> {
        let mut all: Vec<StoredObject> = Vec::new();
        let mut after = None;
        loop {
            let mut query = vec![("prefix", prefix.to_owned()), ("count", PAGE.to_owned())];
            query.extend(after.map(|after: ObjectName| ("after", after.to_string())));
            let path = format!("{}?{}", bucket_path(address), encode(&query));
            let page: ObjectPage = self.get(&path).await?;
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    /// Writes the objects of a tar stream, each as soon as it is complete.
    pub async fn upload_objects(
        &self,
        address: &BucketAddress,
        archive: ObjectBody,
        overwrite: bool,
    ) -> Result<ObjectsDone> {
        let query = if overwrite { "" } else { "?noOverwrite=true" };
        let path = format!("{}/upload{query}", bucket_path(address));
        self.json(self.endless(Method::POST, &path).body(reqwest::Body::wrap(archive))).await
    }

    /// Writes an object.
    pub async fn put_object(
        &self,
        address: &BucketAddress,
        name: &ObjectName,
        body: ObjectBody,
        overwrite: bool,
    ) -> Result<ObjectsDone> {
        let query = if overwrite { "" } else { "?noOverwrite=true" };
        let path = format!("{}{query}", object_path(address, name));
        self.json(self.endless(Method::PUT, &path).body(reqwest::Body::wrap(body))).await
    }

    /// Has the emulator copy a file of its own machine into an object, for its owner. `passed` receives the
    /// bytes of each step.
    pub async fn import_object(
        &self,
        address: &BucketAddress,
        import: &ObjectImport,
        mut passed: impl FnMut(u64),
    ) -> Result<ObjectsDone> {
        let path = format!("{}/import", bucket_path(address));
        let mut response = self.send(self.endless(Method::POST, &path).json(import)).await?;
        let mut text = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(Error::from_reqwest)? {
            text.extend_from_slice(&piece);
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                let step = serde_json::from_slice(&line);
                match step.map_err(|error| Error::Answer(error.to_string()))? {
                    ImportStep::Bytes(count) => passed(count),
                    ImportStep::Done(done) => return Ok(done),
                    ImportStep::Failed(message) => return Err(Error::Api { status: 409, message }),
                }
            }
        }
        Err(Error::Broken("the response ended too early".into()))
    }

    /// Reads an object.
    pub async fn get_object(
        &self,
        address: &BucketAddress,
        name: &ObjectName,
    ) -> Result<ObjectStream> {
        self.send(self.endless(Method::GET, &object_path(address, name))).await.map(ObjectStream)
    }

    /// Reads objects as a tar stream; those that do not exist are left out.
    pub async fn download_objects(
        &self,
        address: &BucketAddress,
        names: Vec<ObjectName>,
    ) -> Result<ObjectStream> {
        let path = format!("{}/download", bucket_path(address));
        let request = self.endless(Method::POST, &path).json(&ObjectNames { names });
        self.send(request).await.map(ObjectStream)
    }

    /// Deletes objects; those that do not exist are skipped.
    pub async fn delete_objects(
        &self,
        address: &BucketAddress,
        names: &[ObjectName],
    ) -> Result<ObjectsDone> {
        let mut all = ObjectsDone::default();
        for names in names.chunks(NAMES) {
            let path = format!("{}/delete", bucket_path(address));
            let names = ObjectNames { names: names.to_vec() };
            let done = self.json(self.endless(Method::POST, &path).json(&names)).await?;
            add(&mut all, done);
        }
        Ok(all)
    }

    /// Copies or moves objects inside a data store.
    pub async fn transfer_objects(
        &self,
        address: &BucketAddress,
        to: Option<&str>,
        names: &[(ObjectName, ObjectName)],
        is_move: bool,
    ) -> Result<ObjectsDone> {
        let mut all = ObjectsDone::default();
        for names in names.chunks(NAMES / 2) {
            let path = format!("{}/transfer", bucket_path(address));
            let bucket = to.map(str::to_owned);
            let transfer = ObjectTransfer { bucket, names: names.to_vec(), is_move };
            let done = self.json(self.endless(Method::POST, &path).json(&transfer)).await?;
            add(&mut all, done);
        }
        Ok(all)
    }
}

fn add(all: &mut ObjectsDone, done: ObjectsDone) {
    all.objects += done.objects;
    all.bytes += done.bytes;
    all.skipped += done.skipped;
}
