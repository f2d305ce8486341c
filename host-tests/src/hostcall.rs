//! The hostcalls by name, and how often each was made.

macro_rules! hostcalls {
    ($($variant:ident = $name:literal,)*) => {
        /// A function that the host offers to the guest.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Hostcall { $(#[doc = concat!("`", $name, "`")] $variant,)* }

        impl Hostcall {
            /// Every hostcall, in a fixed order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The import's name as the guest spells it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

hostcalls! {
    Log = "proxy_log",
    GetLogLevel = "proxy_get_log_level",
    GetStatus = "proxy_get_status",
    GetProperty = "proxy_get_property",
    SetProperty = "proxy_set_property",
    SetTickPeriod = "proxy_set_tick_period_milliseconds",
    GetCurrentTime = "proxy_get_current_time_nanoseconds",
    GetHeaderMapValue = "proxy_get_header_map_value",
    AddHeaderMapValue = "proxy_add_header_map_value",
    ReplaceHeaderMapValue = "proxy_replace_header_map_value",
    RemoveHeaderMapValue = "proxy_remove_header_map_value",
    GetHeaderMapPairs = "proxy_get_header_map_pairs",
    SetHeaderMapPairs = "proxy_set_header_map_pairs",
    GetHeaderMapSize = "proxy_get_header_map_size",
    GetBufferBytes = "proxy_get_buffer_bytes",
    GetBufferStatus = "proxy_get_buffer_status",
    SetBufferBytes = "proxy_set_buffer_bytes",
    ContinueStream = "proxy_continue_stream",
    CloseStream = "proxy_close_stream",
    SendLocalResponse = "proxy_send_local_response",
    HttpCall = "proxy_http_call",
    GrpcCall = "proxy_grpc_call",
    GrpcStream = "proxy_grpc_stream",
    GrpcSend = "proxy_grpc_send",
    GrpcCancel = "proxy_grpc_cancel",
    GrpcClose = "proxy_grpc_close",
    GetSharedData = "proxy_get_shared_data",
    SetSharedData = "proxy_set_shared_data",
    RegisterSharedQueue = "proxy_register_shared_queue",
    ResolveSharedQueue = "proxy_resolve_shared_queue",
    EnqueueSharedQueue = "proxy_enqueue_shared_queue",
    DequeueSharedQueue = "proxy_dequeue_shared_queue",
    DefineMetric = "proxy_define_metric",
    IncrementMetric = "proxy_increment_metric",
    RecordMetric = "proxy_record_metric",
    GetMetric = "proxy_get_metric",
    SetEffectiveContext = "proxy_set_effective_context",
    Done = "proxy_done",
    CallForeignFunction = "proxy_call_foreign_function",
    Wasi = "wasi",
}

impl Hostcall {
    /// Whether what it reads or writes is shared by the whole process, so that workers meet in it.
    pub const fn is_shared(self) -> bool {
        matches!(
            self,
            Self::GetSharedData
                | Self::SetSharedData
                | Self::RegisterSharedQueue
                | Self::ResolveSharedQueue
                | Self::EnqueueSharedQueue
                | Self::DequeueSharedQueue
                | Self::DefineMetric
                | Self::IncrementMetric
                | Self::RecordMetric
                | Self::GetMetric
        )
    }
}

/// How often a worker's guest made each hostcall; a pure function of its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostcallCounts([u64; Hostcall::ALL.len()]);

impl Default for HostcallCounts {
    fn default() -> Self {
        Self([0; Hostcall::ALL.len()])
    }
}

impl HostcallCounts {
    /// Calls of `which` so far; all WASI functions count as one.
    pub fn of(&self, which: Hostcall) -> u64 {
        self.0.get(which as usize).copied().unwrap_or(0)
    }
    /// Calls of everything except WASI.
    pub fn total(&self) -> u64 {
        self.iter()
            .filter(|(call, _)| *call != Hostcall::Wasi)
            .map(|(_, count)| count)
            .sum()
    }
    /// Every hostcall with its count, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (Hostcall, u64)> + '_ {
        Hostcall::ALL.iter().copied().zip(self.0.iter().copied())
    }
    /// Adds another VM's counts.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in self.0.iter_mut().zip(other.0) {
            *sum = sum.wrapping_add(count);
        }
    }
    pub(crate) fn count(&mut self, which: Hostcall) {
        if let Some(count) = self.0.get_mut(which as usize) {
            *count = count.wrapping_add(1);
        }
    }
}
