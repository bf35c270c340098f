//! Data stores, and the buckets and objects in them: the emulator's own storage. The service has
//! object storage of its own, which its client calls directly.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body as HttpBody;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, TryStreamExt, stream};
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue, LAST_MODIFIED};
use ovhai_api_types::{
    Bucket, DataStore, ImportStep, NewDataStore, ObjectImport, ObjectName, ObjectNames, ObjectPage,
    ObjectTransfer, ObjectsDone,
};
use ovhai_core::Error;
use ovhai_core::model::DataStoreRecord;
use ovhai_core::platform::StoreAccess;
use ovhai_core::policy::{Action, Principal};
use ovhai_data::StoreRoots;
use ovhai_data::objects::{self, Listing, ObjectError, Source, Store, Writer};
use ovhai_data::roots::Missing;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::{Caller, Control};
use crate::api::error::ApiError;
use crate::api::extract::Body;
use crate::api::query::Query;
use crate::pieces::{self, PieceWriter};

/// Objects of a page unless another number is asked for, and at most.
const DEFAULT_COUNT: usize = 1000;
const MAX_COUNT: usize = 10_000;
/// Bytes that are read or written at once.
const CHUNK: usize = 256 * 1024;
/// Maximum pause of a client in sending.
const PAUSE: Duration = Duration::from_mins(1);

type Shared = State<Arc<Control>>;

impl From<ObjectError> for ApiError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::NotFound(why) => Self::not_found(why),
            ObjectError::Conflict(why) => Self::conflict(why),
            ObjectError::Invalid(why) => Self::bad_request(why),
            ObjectError::BrokenOff(why) => Self::invalid("body", why),
            ObjectError::Full => Self::full("the disk of the data store is full"),
            ObjectError::System(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Self::conflict(
                    "the emulator's user may not do this in the directory of the data store",
                )
            }
            ObjectError::System(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
                Self::conflict("the data store is on a read-only file system")
            }
            ObjectError::System(error) => Self::internal(error),
        }
    }
}

/// A data store that the caller may use.
struct Opened {
    roots: StoreRoots,
    store: Arc<DataStoreRecord>,
}

impl Control {
    fn open(
        &self,
        caller: &Principal,
        alias: &str,
        access: StoreAccess,
    ) -> Result<Opened, ApiError> {
        let store = self.platform.data_store(caller, alias, access)?;
        Ok(Opened { roots: self.stores.clone(), store })
    }
}

impl Opened {
    /// The directory, which may be missing as long as nothing was written.
    fn directory(&self, missing: Missing) -> Result<Option<Store>, ObjectError> {
        Store::open(&self.roots, &self.store, missing)
    }

    fn existing(&self, bucket: &str) -> Result<objects::Bucket, ObjectError> {
        match self.directory(Missing::Leave)? {
            Some(store) => store.bucket(bucket),
            None => Err(ObjectError::NotFound(format!("the bucket {bucket} does not exist"))),
        }
    }

    fn existing_or_new(&self, bucket: &str) -> Result<objects::Bucket, ObjectError> {
        match self.directory(Missing::Make)? {
            Some(store) => store.bucket_or_new(bucket),
            None => Err(ObjectError::NotFound(format!(
                "the directory of the data store {} is missing",
                self.store.alias
            ))),
        }
    }
}

/// Runs what blocks on a thread for that.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ObjectError> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(ApiError::from),
        Err(error) => Err(ApiError::internal(error)),
    }
}

fn name_of(text: &str) -> Result<ObjectName, ApiError> {
    text.parse().map_err(|error| ApiError::bad_request(format!("{error}")))
}

fn wire(record: &DataStoreRecord, caller: &Principal) -> DataStore {
    let is_owner = matches!(caller, Principal::Administrator { .. });
    DataStore {
        alias: record.alias.clone(),
        kind: "local".into(),
        owner: if record.is_owner_named() { "customer" } else { "emulator" }.into(),
        // Paths of this machine are its owner's.
        endpoint: record.directory.clone().filter(|_| is_owner),
    }
}

pub(super) async fn stores(
    State(control): Shared,
    Caller(caller): Caller,
) -> Result<Json<Vec<DataStore>>, ApiError> {
    let stores = control.platform.data_stores(&caller)?;
    Ok(Json(stores.iter().map(|record| wire(record, &caller)).collect()))
}

pub(super) async fn add_store(
    State(control): Shared,
    Caller(caller): Caller,
    Path(alias): Path<String>,
    Body(NewDataStore { directory }): Body<NewDataStore>,
) -> Result<Json<DataStore>, ApiError> {
    let record = control.platform.add_data_store(&caller, &alias, directory).await?;
    Ok(Json(wire(&record, &caller)))
}

pub(super) async fn remove_store(
    State(control): Shared,
    Caller(caller): Caller,
    Path(alias): Path<String>,
) -> Result<StatusCode, ApiError> {
    control.platform.remove_data_store(&caller, &alias).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn buckets(
    State(control): Shared,
    Caller(caller): Caller,
    Path(alias): Path<String>,
) -> Result<Json<Vec<Bucket>>, ApiError> {
    let opened = control.open(&caller, &alias, StoreAccess::Read)?;
    let all = blocking(move || match opened.directory(Missing::Leave)? {
        Some(store) => store.buckets(),
        None => Ok(Vec::new()),
    });
    let wire = |(name, last_modified)| Bucket { name, last_modified };
    Ok(Json(all.await?.into_iter().map(wire).collect()))
}

pub(super) async fn create_bucket(
    State(control): Shared,
    Caller(caller): Caller,
    Path((alias, bucket)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let opened = control.open(&caller, &alias, StoreAccess::Write)?;
    let is_new = blocking(move || match opened.directory(Missing::Make)? {
        Some(store) => store.create(&bucket),
        None => Err(ObjectError::NotFound("the directory of the data store is missing".into())),
    });
    Ok(if is_new.await? { StatusCode::CREATED } else { StatusCode::OK })
}

pub(super) async fn delete_bucket(
    State(control): Shared,
    Caller(caller): Caller,
    Path((alias, bucket)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let opened = control.open(&caller, &alias, StoreAccess::Write)?;
    blocking(move || match opened.directory(Missing::Leave)? {
        Some(store) => store.delete(&bucket),
        None => Err(ObjectError::NotFound(format!("the bucket {bucket} does not exist"))),
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A page of the objects of a bucket.
pub(super) async fn list(
    State(control): Shared,
    Caller(caller): Caller,
    Path((alias, bucket)): Path<(String, String)>,
    query: Query,
) -> Result<Json<ObjectPage>, ApiError> {
    let opened = control.open(&caller, &alias, StoreAccess::Read)?;
    let count = query.parse("count", "1 to 10000")?.unwrap_or(DEFAULT_COUNT);
    if count == 0 || count > MAX_COUNT {
        return Err(ApiError::invalid("count", format!("{count} is not allowed: use 1 to 10000")));
    }
    let text = |name| query.one(name).unwrap_or_default().to_owned();
    let listing = Listing { prefix: text("prefix"), after: text("after"), count };
    blocking(move || opened.existing(&bucket)?.list(&listing)).await.map(Json)
}

/// The body of a request, piece by piece.
fn pieces_of(
    request: Request,
) -> Pin<Box<dyn Stream<Item = io::Result<bytes::Bytes>> + Send + 'static>> {
    Box::pin(within(request.into_body().into_data_stream().map_err(io::Error::other)))
}

/// The same stream, which fails when it pauses for too long: a client of HTTP/2 has no other limit.
fn within<S>(stream: S) -> impl Stream<Item = io::Result<bytes::Bytes>> + Send
where
    S: Stream<Item = io::Result<bytes::Bytes>> + Send + Unpin,
{
    stream::unfold(Some(stream), |stream| async move {
        let mut stream = stream?;
        match tokio::time::timeout(PAUSE, stream.try_next()).await {
            Ok(Ok(Some(piece))) => Some((Ok(piece), Some(stream))),
            Ok(Ok(None)) => None,
            Ok(Err(error)) => Some((Err(error), None)),
            Err(_) => Some((Err(io::ErrorKind::TimedOut.into()), None)),
        }
    })
}

/// Writes the objects of a tar stream, each as soon as it is complete. The bucket is made if it does
/// not exist.
pub(super) async fn upload(
    State(control): Shared,
    Caller(caller): Caller,
    Path((alias, bucket)): Path<(String, String)>,
    query: Query,
    request: Request,
) -> Result<Json<ObjectsDone>, ApiError> {
    let opened = control.open(&caller, &alias, StoreAccess::Write)?;
    let overwrite = !query.flag("noOverwrite")?;
    let body = SyncIoBridge::new(StreamReader::new(pieces_of(request)));
    blocking(move || {
        objects::unpack(&opened.existing_or_new(&bucket)?, body, overwrite, Ok, |_| ())
    })
    .await
    .map(Json)
}

/// Copies a file of this machine into an object, for the owner, whose command line is on the same
/// machine. The response has a line for each step, so that a client that has gone ends the copy.
pub(super) async fn import(
    State(control): Shared,
    Caller(caller): Caller,
    Path((alias, bucket)): Path<(String, String)>,
    Body(ObjectImport { path, identity, name, overwrite }): Body<ObjectImport>,
) -> Result<Response, ApiError> {
    control.platform.may_in_a_region(&caller, Action::NameHostDirectory)?;
    let opened = control.open(&caller, &alias, StoreAccess::Write)?;
    let (source, bucket) = blocking(move || {
        let source = Source::open(std::path::Path::new(&path), identity)?;
        Ok((source, opened.existing_or_new(&bucket)?))
    })
    .await?;
    let (maker, body) = pieces::body(None);
    let mut writer = maker.into_writer();
    tokio::task::spawn_blocking(move || {
        let passed = |count| step(&mut writer, &ImportStep::Bytes(count));
        let last = match source.copy(&bucket, &name, overwrite, passed) {
            Ok(done) => ImportStep::Done(done),
            Err(error) => ImportStep::Failed(error.to_string()),
        };
        let outcome = step(&mut writer, &last);
        writer.end(outcome);
    });
    Ok(sent(body, "application/x-ndjson"))
}

fn step(writer: &mut PieceWriter, step: &ImportStep) -> io::Result<()> {
    let mut line = serde_json::to_vec(step)?;
    line.push(b'\n');
    writer.pass(line)
}

/// Sends objects as a tar stream; those that do not exist are left out.
pub(super) async fn download(
    State(control): Shared,
    Caller(caller): Caller,
    Path((alias, bucket)): Path<(String, String)>,
    Body(ObjectNames { names }): Body<ObjectNames>,
) -> Result<Response, ApiError> {
    let opened = control.open(&caller, &alias, StoreAccess::Read)?;
    let bucket = blocking(move || opened.existing(&bucket)).await?;
    let (maker, body) = pieces::body(None);
    let mut writer = maker.into_writer();
    tokio::task::spawn_blocking(move || {
        let outcome = objects::pack(&bucket, &names, &mut writer);
        writer.end(outcome);
    });
    Ok(sent(body, "application/x-tar"))
}

fn sent(body: HttpBody, kind: &'static str) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

pub(super) async fn delete(
    State(control): Shared,
    Caller(caller): Caller,
    Path((alias, bucket)): Path<(String, String)>,
    Body(ObjectNames { names }): Body<ObjectNames>,
) -> Result<Json<ObjectsDone>, ApiError> {
    let opened = control.open(&caller, &alias, StoreAccess::Write)?;
    blocking(move || opened.existing(&bucket)?.delete(&names)).await.map(Json)
}

/// Copies or moves objects inside a data store.
pub(super) async fn transfer(
    State(control): Shared,
    Caller(caller): Caller,
    Path((alias, bucket)): Path<(String, String)>,
    Body(ObjectTransfer { bucket: to, names, is_move }): Body<ObjectTransfer>,
) -> Result<Json<ObjectsDone>, ApiError> {
    let opened = control.open(&caller, &alias, StoreAccess::Write)?;
    blocking(move || {
        let from = opened.existing(&bucket)?;
        let to = opened.existing_or_new(to.as_deref().unwrap_or(&bucket))?;
        from.transfer(&to, &names, is_move)
    })
    .await
    .map(Json)
}

type ObjectPath = Path<(String, String, String)>;

/// Sends one object.
pub(super) async fn get_object(
    State(control): Shared,
    Caller(caller): Caller,
    Path((alias, bucket, name)): ObjectPath,
) -> Result<Response, ApiError> {
    let opened = control.open(&caller, &alias, StoreAccess::Read)?;
    let name = name_of(&name)?;
    let found = blocking(move || opened.existing(&bucket)?.open_object(&name));
    let (mut file, stat) = found.await?;
    let (maker, body) = pieces::body(Some(objects::size(&stat)));
    let mut writer = maker.into_writer();
    let length = objects::size(&stat);
    tokio::task::spawn_blocking(move || {
        let mut left = length;
        let outcome = std::iter::from_fn(|| {
            let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            (most > 0).then(|| {
                let mut piece = vec![0; most];
                let count = file.read(&mut piece)?;
                piece.truncate(count);
                left -= count as u64;
                if count == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                writer.pass(piece)
            })
        })
        .collect::<io::Result<()>>();
        writer.end(outcome);
    });
    let mut response = sent(body, "application/octet-stream");
    if let Ok(seconds) = u64::try_from(stat.st_mtime) {
        let at = std::time::UNIX_EPOCH + Duration::from_secs(seconds);
        if let Ok(value) = HeaderValue::from_str(&httpdate::fmt_http_date(at)) {
            response.headers_mut().insert(LAST_MODIFIED, value);
        }
    }
    Ok(response)
}

/// Writes one object. The bucket is made if it does not exist.
pub(super) async fn put_object(
    State(control): Shared,
    Caller(caller): Caller,
    Path((alias, bucket, name)): ObjectPath,
    query: Query,
    request: Request,
) -> Result<Json<ObjectsDone>, ApiError> {
    let opened = control.open(&caller, &alias, StoreAccess::Write)?;
    let (name, overwrite) = (name_of(&name)?, !query.flag("noOverwrite")?);
    let mut body = pieces_of(request);
    let handle = tokio::runtime::Handle::current();
    blocking(move || {
        let bucket = opened.existing_or_new(&bucket)?;
        let mut writer = Writer::new(&bucket, overwrite);
        let skipped = ObjectsDone { skipped: 1, ..ObjectsDone::default() };
        let Some(mut part) = writer.begin(&name)? else { return Ok(skipped) };
        let broken = |error: io::Error| ObjectError::BrokenOff(error.to_string());
        let mut bytes = 0;
        while let Some(piece) = handle.block_on(body.try_next()).map_err(broken)? {
            part.file.write_all(&piece)?;
            bytes += piece.len() as u64;
        }
        if !part.finish()? {
            return Ok(skipped);
        }
        writer.end()?;
        Ok(ObjectsDone { objects: 1, bytes, skipped: 0 })
    })
    .await
    .map(Json)
}

pub(super) async fn delete_object(
    State(control): Shared,
    Caller(caller): Caller,
    Path((alias, bucket, name)): ObjectPath,
) -> Result<StatusCode, ApiError> {
    let opened = control.open(&caller, &alias, StoreAccess::Write)?;
    let name = name_of(&name)?;
    let missing = Error::NotFound { kind: "object", id: name.to_string() };
    let done = blocking(move || opened.existing(&bucket)?.delete(&[name])).await?;
    if done.objects == 0 { Err(missing.into()) } else { Ok(StatusCode::NO_CONTENT) }
}
