//! Clock, link and engines together.
//!
//! In: packets of the packet language, names, options of a session.
//! Out: what was planned, sent, read back and answered.
//! Above: the command, lab, the façade. Below: hand, stack, craft, link.
//! Not here: unsafe code, the decision which way a packet takes (hand), sentences for people (render).
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod blocking;
mod breaker;
mod driver;
mod error;
mod guard_wish;
mod in_process;
mod memory_wire;
mod names;
mod own_address;
mod raw_wire;
mod settings;
mod tcp_error;

pub mod hand;

pub use blocking::{TcpListener, TcpStream};
pub use breaker::Breaker;
pub use driver::Watch;
pub use error::{Error, Misuse};
pub use guard_wish::GuardWish;
pub use in_process::InProcess;
pub use names::{Families, Hosts, NameError, Names, System, resolve, resolve_name, resolve_template};
pub use own_address::{OwnAddress, OwnConfig};
pub use tcp_error::StreamError;
pub use wirewright_link::TunConfig;
pub use wirewright_stack::{Prefix, Route};
