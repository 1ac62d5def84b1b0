//! Talking to the kernel about interfaces, addresses and routes.
//!
//! In: what is asked or wanted, typed.
//! Out: typed answers; things made in the network namespace of the socket.
//! Above: net and lab. Below: netlink-bindings and netlink-socket2, which are named in this folder alone.
//! Not here: any decision about a packet.

pub mod create;
