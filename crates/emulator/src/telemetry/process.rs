//! The metrics of the process, under the names that Prometheus' own clients give them.

use ovhai_api_types::Timestamp;

use super::text::{Kind, MetricsPage};

/// Ticks per second in `/proc/self/stat`: part of Linux's ABI.
const TICKS: f64 = 100.0;

pub(super) fn metrics(page: &mut MetricsPage, started_at: Timestamp) {
    page.metric("ovhai_build_info", Kind::Gauge, "The version that runs.")
        .sample(format_args!("version=\"{}\"", env!("CARGO_PKG_VERSION")), 1);
    let help = "When the emulator started, in seconds since 1970.";
    page.metric("process_start_time_seconds", Kind::Gauge, help)
        .sample("", format_args!("{:.3}", started_at.as_duration().as_secs_f64()));
    // Not every system has it; then the metric is missing, too.
    if let Some(bytes) = resident() {
        page.metric("process_resident_memory_bytes", Kind::Gauge, "Memory in use.")
            .sample("", bytes);
    }
    if let Some(ticks) = cpu_ticks() {
        let help = "CPU time, of user and system.";
        #[allow(clippy::cast_precision_loss, reason = "millions of years fit")]
        let seconds = ticks as f64 / TICKS;
        page.metric("process_cpu_seconds_total", Kind::Counter, help)
            .sample("", format_args!("{seconds:.2}"));
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        // The descriptor of the directory being read is not counted.
        page.metric("process_open_fds", Kind::Gauge, "Open file descriptors.")
            .sample("", open.count().saturating_sub(1));
    }
}

fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

fn cpu_ticks() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in the second field may hold any character, and ends with the last parenthesis.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(ticks()? + ticks()?)
}
