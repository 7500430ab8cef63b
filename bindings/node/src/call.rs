//! How a call is made: as a promise, of an engine that stays open meanwhile, until somebody gives it up.

use crate::error::Failure;
use ast_core_engine::CancelToken;
use napi::Env;
use napi::bindgen_prelude::{AsyncBlock, AsyncBlockBuilder, ToNapiValue};
use napi_derive::napi;
use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use tokio::sync::watch;

/// Gives up the calls that it is given to. An engine makes them.
#[napi]
pub struct Cancellation {
    token: CancelToken,
    cancelled: watch::Sender<bool>,
}

#[napi]
impl Cancellation {
    /// Gives the calls up.
    #[napi]
    pub fn cancel(&self) {
        self.token.cancel();
        self.cancelled.send_replace(true);
    }
}

impl Cancellation {
    /// One that is also cancelled when this token is, as far as that is looked at.
    pub(crate) fn under(token: &CancelToken) -> Self {
        Self { token: token.child(), cancelled: watch::Sender::new(false) }
    }
}

/// What ends work that comes to its end by itself: a call that cannot be given up is ended with the engine.
pub(crate) fn token_of(cancellation: Option<&Cancellation>, closing: &CancelToken) -> CancelToken {
    cancellation.map_or_else(|| closing.child(), |cancellation| cancellation.token.clone())
}

/// What the future comes to, unless it is given up before: then it is dropped.
pub(crate) fn until<T, F: Future<Output = Result<T, Failure>> + Send>(
    cancellation: Option<&Cancellation>,
    future: F,
) -> impl Future<Output = Result<T, Failure>> + Send + use<T, F> {
    let cancelled = cancellation.map(|cancellation| cancellation.cancelled.subscribe());
    async move {
        let Some(mut cancelled) = cancelled else { return future.await };
        let cancelled = async {
            // An error means that nobody is left to cancel it.
            if cancelled.wait_for(|cancelled| *cancelled).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = cancelled => Err(Failure::cancelled()),
            result = future => result,
        }
    }
}

/// A promise of what the future comes to. It runs on napi's runtime and keeps the process alive until it is settled. A panic
/// is a failure like any other, with what it said: napi's own would only say that there was one.
///
/// The failure becomes an object only on the thread of JavaScript, since napi rejects a promise with nothing but its
/// own codes.
pub(crate) fn promise<T: ToNapiValue + Send + 'static>(
    env: &Env,
    future: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> napi::Result<AsyncBlock<T>> {
    let mut future = Box::pin(future);
    let caught = poll_fn(move |context| {
        // It is not polled again after a panic.
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)))
            .unwrap_or_else(|panic| Poll::Ready(Err(Failure::internal(&said(&*panic)))))
    });
    AsyncBlockBuilder::build_with_map(
        env,
        async move { Ok(caught.await) },
        |env, result: Result<T, Failure>| result.map_err(|failure| failure.into_error(&env)),
    )
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic")
}
