//! gRPC services that clusters of this host offer.

/// What a method does with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrpcMethod {
    /// Sends back every message; ends well when the caller has ended.
    Echoes {
        /// Initial metadata beyond what every gRPC answer has.
        initial: Vec<(String, String)>,
        /// Trailing metadata beyond the status.
        trailing: Vec<(String, String)>,
        /// Ends after the first message, as a unary method does.
        once: bool,
    },
    /// Ends at once with a status, without a message.
    Fails {
        /// Its number.
        status: u32,
        /// `grpc-message`.
        message: String,
    },
}

/// A gRPC server.
pub trait GrpcService: Send + Sync {
    /// What the method does; `None` where it does not exist: status 12.
    fn method(&self, service: &str, method: &str) -> Option<GrpcMethod>;
}

/// The service `test.Probe` that also stands in a real Envoy's stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProbeService;

impl GrpcService for ProbeService {
    fn method(&self, service: &str, method: &str) -> Option<GrpcMethod> {
        let echo = |once| GrpcMethod::Echoes {
            initial: Vec::new(),
            trailing: Vec::new(),
            once,
        };
        match (service, method) {
            ("test.Probe", "Unary") => Some(echo(true)),
            ("test.Probe", "Stream") => Some(echo(false)),
            ("test.Probe", "Fail") => Some(GrpcMethod::Fails {
                status: 7,
                message: "no".into(),
            }),
            ("test.Probe", "Headers") => Some(GrpcMethod::Echoes {
                initial: vec![("x-initial".into(), "1".into())],
                trailing: vec![("x-trailing".into(), "1".into())],
                once: true,
            }),
            _ => None,
        }
    }
}
