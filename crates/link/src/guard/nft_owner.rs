//! The kernel's resets are made and then dropped on their way out, by an nftables table that belongs to our netlink socket.
//!
//! ```text
//! table ip wirewright-NAME {            # flags owner: it goes with our socket, also after kill -9
//!     chain out {                       # hook output, before connection tracking sees what is dropped
//!         ip saddr ADDR tcp sport PORT tcp flags & rst == rst meta skuid >= 0 accept
//!         ip saddr ADDR tcp sport PORT tcp flags & rst == rst drop
//!     }
//! }
//! ```
//!
//! The kernel sends its own resets by a socket of its own, which nobody opened: `meta skuid` finds no owner there and the
//! first rule does not match. A reset made by hand comes from a program's raw socket and passes. `TcpOutRsts` counts what
//! is dropped here too: the kernel counts before it asks.

use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::call_failed;
use crate::error::{Call, Circumstances, Operation, OsError};
use crate::netlink::{Netlink, Request};
use crate::sys::Kernel;

/// `NFNL_SUBSYS_NFTABLES` of linux/netfilter/nfnetlink.h.
const NFTABLES: u16 = 10;
/// `NFNL_MSG_BATCH_BEGIN`, `NFNL_MSG_BATCH_END`.
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
/// `NFT_MSG_*` of linux/netfilter/nf_tables.h.
const NEW_TABLE: u16 = 0;
const NEW_CHAIN: u16 = 3;
const NEW_RULE: u16 = 6;
/// `NFT_TABLE_F_OWNER`, since Linux 5.12.
const OWNED: u32 = 2;
/// `NF_INET_LOCAL_OUT`.
const OUTPUT: u32 = 3;
/// `NF_IP_PRI_RAW`: connection tracking stands at -200.
const BEFORE_TRACKING: i32 = -300;
const ACCEPT: u32 = 1;
const DROP: u32 = 0;
/// `NFT_REG_1`; the verdict is register 0.
const REGISTER: u32 = 1;
/// `NFT_META_L4PROTO`, `NFT_META_SKUID`.
const PROTOCOL: u32 = 16;
const OWNER: u32 = 10;
/// `NFT_PAYLOAD_NETWORK_HEADER`, `NFT_PAYLOAD_TRANSPORT_HEADER`.
const NETWORK: u32 = 1;
const TRANSPORT: u32 = 2;
/// `NFT_CMP_EQ`, `NFT_CMP_NEQ`, `NFT_CMP_GTE`.
const EQUAL: u32 = 0;
const UNEQUAL: u32 = 1;
const NOT_BELOW: u32 = 5;
/// TCP's protocol number, and its flag RST in byte 13 of the header (RFC 9293 §3.1).
const TCP: u8 = 6;
const FLAGS_AT: u32 = 13;
const RST: u8 = 4;

const CHAIN: &str = "out";

/// Raises the table; it stands for as long as the socket that is returned.
///
/// **Errors**: `EPERM` without `CAP_NET_ADMIN`; `EPROTONOSUPPORT` or `EOPNOTSUPP` where the kernel has no nftables, or no
/// tables with an owner.
pub(super) fn raise(kernel: &Arc<dyn Kernel>, local: SocketAddr) -> Result<Netlink, OsError> {
    let mut unique = [0; 4];
    kernel.random(&mut unique).map_err(|errno| call_failed("getrandom", errno))?;
    let name = format!("wirewright-{:08x}", u32::from_be_bytes(unique));
    let failed = |call| move |errno| failed(call, errno);
    let mut netlink = Netlink::netfilter(kernel.clone()).map_err(|error| failed("socket")(error.errno))?;
    netlink.change_all(&batch(&name, local)).map_err(failed("NFT_MSG_NEWTABLE"))?;
    Ok(netlink)
}

fn failed(name: &'static str, errno: crate::sys::Errno) -> OsError {
    OsError::about(Operation::OpenGuard, Call { name, option: None }, errno, Circumstances::default())
}

/// The table, its chain and its two rules, all or nothing.
fn batch(table: &str, local: SocketAddr) -> Vec<Request> {
    let family = if local.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    // The numbers of address families are below 256.
    let family = family as u8;
    let message = |kind: u16, flags: i32| Request::new((NFTABLES << 8) | kind, flags, &[family, 0, 0, 0]);
    let (table, chain) = (text(table), text(CHAIN));

    let mut new_table = message(NEW_TABLE, libc::NLM_F_CREATE | libc::NLM_F_EXCL);
    new_table.attribute(1, &table).attribute(2, &OWNED.to_be_bytes());

    let mut new_chain = message(NEW_CHAIN, libc::NLM_F_CREATE);
    new_chain.attribute(1, &table).attribute(3, &chain);
    new_chain.nest(4, |hook| {
        hook.attribute(1, &OUTPUT.to_be_bytes()).attribute(2, &BEFORE_TRACKING.to_be_bytes());
    });
    new_chain.attribute(5, &ACCEPT.to_be_bytes()).attribute(7, &text("filter"));

    let rule = |fill: &dyn Fn(&mut Request)| {
        let mut rule = message(NEW_RULE, libc::NLM_F_CREATE | libc::NLM_F_APPEND);
        rule.attribute(1, &table).attribute(2, &chain).nest(4, |expressions| {
            reset_of(expressions, local);
            fill(expressions);
        });
        rule
    };
    let by_a_program = rule(&|expressions| {
        meta(expressions, OWNER);
        compare(expressions, NOT_BELOW, &[0; 4]);
        verdict(expressions, ACCEPT);
    });
    let by_the_kernel = rule(&|expressions| verdict(expressions, DROP));

    let [a, b] = NFTABLES.to_be_bytes();
    let frame = |kind| Request::new(kind, 0, &[0, 0, a, b]);
    vec![frame(BATCH_BEGIN), new_table, new_chain, by_a_program, by_the_kernel, frame(BATCH_END)]
}

/// Matches a reset that leaves from the guarded end.
fn reset_of(expressions: &mut Request, local: SocketAddr) {
    meta(expressions, PROTOCOL);
    compare(expressions, EQUAL, &[TCP]);
    match local.ip() {
        address if address.is_unspecified() => {}
        // Where the source address stands: RFC 791 §3.1, RFC 8200 §3.
        IpAddr::V4(address) => {
            payload(expressions, NETWORK, 12, 4);
            compare(expressions, EQUAL, &address.octets());
        }
        IpAddr::V6(address) => {
            payload(expressions, NETWORK, 8, 16);
            compare(expressions, EQUAL, &address.octets());
        }
    }
    payload(expressions, TRANSPORT, 0, 2);
    compare(expressions, EQUAL, &local.port().to_be_bytes());
    payload(expressions, TRANSPORT, FLAGS_AT, 1);
    expression(expressions, "bitwise", |data| {
        data.attribute(1, &REGISTER.to_be_bytes()).attribute(2, &REGISTER.to_be_bytes());
        data.attribute(3, &1u32.to_be_bytes());
        value(data, 4, &[RST]);
        value(data, 5, &[0]);
    });
    compare(expressions, UNEQUAL, &[0]);
}

fn meta(expressions: &mut Request, key: u32) {
    expression(expressions, "meta", |data| {
        data.attribute(1, &REGISTER.to_be_bytes()).attribute(2, &key.to_be_bytes());
    });
}

fn payload(expressions: &mut Request, base: u32, offset: u32, len: u32) {
    expression(expressions, "payload", |data| {
        for (kind, number) in (1..).zip([REGISTER, base, offset, len]) {
            data.attribute(kind, &number.to_be_bytes());
        }
    });
}

fn compare(expressions: &mut Request, how: u32, with: &[u8]) {
    expression(expressions, "cmp", |data| {
        data.attribute(1, &REGISTER.to_be_bytes()).attribute(2, &how.to_be_bytes());
        value(data, 3, with);
    });
}

fn verdict(expressions: &mut Request, code: u32) {
    expression(expressions, "immediate", |data| {
        data.attribute(1, &0u32.to_be_bytes());
        data.nest(2, |data| {
            data.nest(2, |verdict| {
                verdict.attribute(1, &code.to_be_bytes());
            });
        });
    });
}

/// One expression: its name and what it works on.
fn expression(expressions: &mut Request, name: &str, fill: impl FnOnce(&mut Request)) {
    expressions.nest(1, |element| {
        element.attribute(1, &text(name)).nest(2, fill);
    });
}

/// Bytes as the value of an attribute.
fn value(data: &mut Request, kind: u16, bytes: &[u8]) {
    data.nest(kind, |data| {
        data.attribute(1, bytes);
    });
}

fn text(text: &str) -> Vec<u8> {
    text.bytes().chain([0]).collect()
}
