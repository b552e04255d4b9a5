//! The profile `network`: TCP at the named ports, and nothing else of the network.

use std::net::TcpListener;

use hotcell::dynamic::Value;
use hotcell::{Profile, Sandbox};
use hotcell_e2e::wall::{Attacks, Outcome, as_every_user};

#[test]
fn named_ports_are_open_and_others_are_not() {
    as_every_user("network::named_ports_are_open_and_others_are_not", || {
        let attacks = Attacks::new();
        let listener = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (named, other, free) = (listener(), listener(), listener());
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let (open, shut, own) = (port(&named), port(&other), port(&free));
        drop(free);
        let sandbox = Sandbox { connect: vec![open], bind: vec![own], ..Sandbox::of(Profile::Network) };
        let attacker = attacks.open(sandbox, &[]).unwrap();
        let with_port = |name: &str, port: u16| Outcome::of(attacker.int(name, &[Value::Int(port.into())]));
        let denied = Outcome::Errno(libc::EACCES);
        assert_eq!(with_port("attack_connect", open), Outcome::Succeeded);
        assert_eq!(with_port("attack_connect", shut), denied);
        assert_eq!(with_port("attack_listen", own), Outcome::Succeeded);
        assert_eq!(with_port("attack_listen", open), denied);
        assert_eq!(with_port("attack_listen", 0), denied);
        // It connects without connect().
        assert_eq!(with_port("attack_connect_fast", shut).denied(), Some("sendto"));
        let socket = |domain: i32, kind: i32, protocol: i32| {
            let args = [domain, kind, protocol].map(|number| Value::Int(number.into()));
            let outcome = Outcome::of(attacker.int("attack_socket", &args));
            attacker.serves();
            outcome
        };
        let stream = libc::SOCK_STREAM | libc::SOCK_NONBLOCK;
        assert_eq!(socket(libc::AF_INET6, stream, libc::IPPROTO_TCP), Outcome::Succeeded);
        for (domain, kind, protocol) in [
            (libc::AF_INET, libc::SOCK_DGRAM, 0),
            (libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP),
            (libc::AF_INET, stream, libc::IPPROTO_SCTP),
            (libc::AF_INET, stream, libc::IPPROTO_MPTCP),
            (libc::AF_UNIX, stream, 0),
            (libc::AF_NETLINK, libc::SOCK_RAW, 0),
            (libc::AF_PACKET, libc::SOCK_RAW, 0),
            (libc::AF_VSOCK, stream, 0),
        ] {
            assert_eq!(socket(domain, kind, protocol).denied(), Some("socket"), "{domain} {kind} {protocol}");
        }
        assert_eq!(attacker.attack("passwd").denied(), Some("openat"));
    });
}

/// A line that allows sockets, however it is written, leads past no rule of ports.
#[test]
fn single_calls_connect_nowhere_either() {
    let attacks = Attacks::new();
    let shut = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = Value::Int(shut.local_addr().unwrap().port().into());
    for line in ["socket", "socket(arg0 == 2 && arg1 == 0x80001)"] {
        let allow = [line, "connect", "sendto"].map(str::to_owned).to_vec();
        let attacker = attacks.open(Sandbox { allow, ..Sandbox::of(Profile::Custom) }, &[]).unwrap();
        let connect = |name: &str| Outcome::of(attacker.int(name, std::slice::from_ref(&port)));
        assert_eq!(connect("attack_connect"), Outcome::Errno(libc::EACCES), "{line}");
        assert_eq!(connect("attack_connect_fast").denied(), Some("sendto"), "{line}");
        let other = [libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, libc::IPPROTO_MPTCP]
            .map(|it| Value::Int(it.into()));
        assert_eq!(Outcome::of(attacker.int("attack_socket", &other)).denied(), Some("socket"), "{line}");
    }
}

/// While it loads, too.
#[test]
fn ports_hold_while_the_library_loads() {
    let attacks = Attacks::new();
    let network = Sandbox { connect: vec![1], ..Sandbox::of(Profile::Network) };
    assert_eq!(attacks.in_constructor(network.clone(), "socket_inet"), Outcome::Succeeded);
    assert_eq!(attacks.in_constructor(network, "socket_unix").denied(), Some("socket"));
}

/// What a denied connection was for is told.
#[test]
fn a_denied_connection_names_its_port() {
    let attacks = Attacks::new();
    let allow = vec!["socket".to_owned()];
    let attacker = attacks.open(Sandbox { allow, ..Sandbox::of(Profile::Custom) }, &[]).unwrap();
    for (name, call) in [("attack_connect", "connect"), ("attack_listen", "bind")] {
        let outcome = Outcome::of(attacker.int(name, &[Value::Int(4567)]));
        let Outcome::Denied(denied) = &outcome else { panic!("{outcome:?}") };
        assert_eq!((denied.syscall, denied.port), (Some(call), Some(4567)));
        assert_eq!(denied.to_string(), format!("{call} to port 4567"));
        attacker.serves();
    }
}
