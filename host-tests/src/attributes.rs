//! What a guest can learn through properties beyond headers and bodies.
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use weir_engine::time::Timestamp;

/// A typed attribute; the guest receives it as Envoy serialises it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Raw bytes: strings, serialised messages and maps.
    Bytes(Vec<u8>),
    /// 8 bytes, little endian.
    Int(i64),
    /// 8 bytes, little endian.
    Uint(u64),
    /// 1 byte.
    Bool(bool),
    /// Nanoseconds in 8 bytes, saturating.
    Duration(Duration),
    /// Nanoseconds since the epoch in 8 bytes.
    Time(Timestamp),
}

impl Value {
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bytes(bytes) => out.extend_from_slice(bytes),
            Self::Int(number) => out.extend_from_slice(&number.to_le_bytes()),
            Self::Uint(number) => out.extend_from_slice(&number.to_le_bytes()),
            Self::Bool(flag) => out.push(u8::from(*flag)),
            Self::Duration(duration) => {
                out.extend_from_slice(
                    &i64::try_from(duration.as_nanos())
                        .unwrap_or(i64::MAX)
                        .to_le_bytes(),
                );
            }
            Self::Time(time) => out.extend_from_slice(&time.as_unix_nanos().to_le_bytes()),
        }
    }
}

/// What the proxy's own parts are called, for `xds.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xds {
    /// `xds.node.id`.
    pub node_id: String,
    /// `xds.node.cluster`.
    pub node_cluster: String,
    /// `xds.route_name`.
    pub route_name: String,
    /// `xds.cluster_name`: where the route leads.
    pub cluster_name: String,
    /// `xds.virtual_host_name`.
    pub virtual_host_name: String,
    /// `xds.filter_chain_name`.
    pub filter_chain_name: String,
}

impl Xds {
    /// The names outside of any stream.
    pub(crate) fn common() -> &'static Arc<Self> {
        static COMMON: LazyLock<Arc<Xds>> = LazyLock::new(Arc::default);
        &COMMON
    }
}

impl Default for Xds {
    /// The names of the stage in a real Envoy.
    fn default() -> Self {
        Self {
            node_id: "stage".into(),
            node_cluster: "stage".into(),
            route_name: String::new(),
            cluster_name: "upstream".into(),
            virtual_host_name: "stage".into(),
            filter_chain_name: String::new(),
        }
    }
}

/// Facts of the connection that carries a stream, and anything else a chain's other filters left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// `source.address`: the client after trusted `x-forwarded-for` hops.
    pub source: SocketAddr,
    /// `destination.address`: the listener.
    pub destination: SocketAddr,
    /// `connection.id`.
    pub connection_id: u64,
    /// `request.protocol`.
    pub protocol: &'static str,
    /// `upstream.address`, once there is an answer.
    pub upstream: SocketAddr,
    /// `upstream.local_address`, likewise.
    pub upstream_local: SocketAddr,
    /// `xds.*`.
    pub xds: Arc<Xds>,
    /// Further properties: path segments joined by a zero byte (`metadata\0filter_metadata\0...`), value.
    /// They win over everything else.
    pub extra: Vec<(Vec<u8>, Value)>,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            source: SocketAddr::from((Ipv4Addr::LOCALHOST, 49_152)),
            destination: SocketAddr::from((Ipv4Addr::LOCALHOST, 10_000)),
            connection_id: 1,
            protocol: "HTTP/1.1",
            upstream: SocketAddr::from((Ipv4Addr::LOCALHOST, 20_000)),
            upstream_local: SocketAddr::from((Ipv4Addr::LOCALHOST, 49_153)),
            xds: Arc::clone(Xds::common()),
            extra: Vec::new(),
        }
    }
}
