//! `--watch`: shows a view again when it changes, until Ctrl-C.
//!
//! On a terminal the view is redrawn in place each second, because ages change too; elsewhere each
//! change appends a view.

use std::time::Duration;

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::ui::endless::while_read;

const PERIOD: Duration = Duration::from_secs(1);

/// `-w`, `--watch`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Watch {
    /// Watch for changes (polls every second; Ctrl-C to stop)
    #[arg(short, long)]
    watch: bool,
}

impl Watch {
    /// Shows what `fetch` returns: once, or repeatedly.
    pub(crate) async fn run<T: PartialEq>(
        &self,
        context: &mut Context,
        mut fetch: impl AsyncFnMut() -> Result<T>,
        show: impl Fn(&mut Context, &T) -> Result<()>,
    ) -> Result<()> {
        if !self.watch {
            return show(context, &fetch().await?);
        }
        while_read(Self::go_on(context, &mut fetch, show)).await
    }

    async fn go_on<T: PartialEq>(
        context: &mut Context,
        fetch: &mut impl AsyncFnMut() -> Result<T>,
        show: impl Fn(&mut Context, &T) -> Result<()>,
    ) -> Result<()> {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut last = None;
        loop {
            ticks.tick().await;
            let now = fetch().await?;
            if context.terminal {
                // The first view leaves the previous screen in the scrollback.
                let clear = if last.is_none() { "\x1b[2J\x1b[H" } else { "\x1b[H\x1b[J" };
                context.out.write_all(clear.as_bytes())?;
            }
            if context.terminal || last.as_ref() != Some(&now) {
                show(context, &now)?;
                context.out.flush()?;
            }
            last = Some(now);
        }
    }
}
