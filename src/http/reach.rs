//! Which IP addresses lie where: public, in somebody's own network, or where no mail server ever is.
//!
//! Owns the tables of special addresses (the IANA special-purpose registries, RFC 6890 and its successors, and the metadata
//! services of the large clouds). Knows nothing of names, of sources or of what a host allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Where an address lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// On the public internet.
    Public,
    /// In a network of its own, which a host may open by naming a range; with a word for the network.
    Own(&'static str),
    /// Where no mail server is, whatever ranges are named; with a word for it.
    Never(&'static str),
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(bits: u128, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_bits(bits), length)
}

/// Metadata stands before the network that it lies in.
const V4: &[(Ipv4Net, Reach)] = &[
    (v4(0, 0, 0, 0, 8), Reach::Never("unspecified")),
    // Amazon, Microsoft, Google and most others; Alibaba; the agent of Azure; Oracle's classic.
    (v4(169, 254, 169, 254, 32), Reach::Never("metadata")),
    (v4(100, 100, 100, 200, 32), Reach::Never("metadata")),
    (v4(168, 63, 129, 16, 32), Reach::Never("metadata")),
    (v4(192, 0, 0, 192, 32), Reach::Never("metadata")),
    (v4(169, 254, 0, 0, 16), Reach::Never("link-local")),
    (v4(224, 0, 0, 0, 4), Reach::Never("multicast")),
    (v4(240, 0, 0, 0, 4), Reach::Never("reserved")),
    (v4(127, 0, 0, 0, 8), Reach::Own("loopback")),
    (v4(10, 0, 0, 0, 8), Reach::Own("private")),
    (v4(172, 16, 0, 0, 12), Reach::Own("private")),
    (v4(192, 168, 0, 0, 16), Reach::Own("private")),
    (v4(100, 64, 0, 0, 10), Reach::Own("carrier-grade NAT")),
    (v4(192, 0, 0, 0, 24), Reach::Own("reserved")),
    (v4(192, 88, 99, 0, 24), Reach::Own("reserved")),
    (v4(198, 18, 0, 0, 15), Reach::Own("benchmarking")),
    (v4(192, 0, 2, 0, 24), Reach::Own("documentation")),
    (v4(198, 51, 100, 0, 24), Reach::Own("documentation")),
    (v4(203, 0, 113, 0, 24), Reach::Own("documentation")),
];

const V6: &[(Ipv6Net, Reach)] = &[
    (v6(0, 128), Reach::Never("unspecified")),
    // Amazon; Google; Oracle; Scaleway.
    (v6(0xfd00_0ec2 << 96, 32), Reach::Never("metadata")),
    (v6(0xfd20_00ce << 96 | 0x254, 128), Reach::Never("metadata")),
    (
        v6(0xfd00_00c1 << 96 | 0xa9fe_a9fe, 128),
        Reach::Never("metadata"),
    ),
    (v6(0xfd00_0042 << 96 | 0x42, 128), Reach::Never("metadata")),
    (v6(0xfe80 << 112, 10), Reach::Never("link-local")),
    (v6(0xff00 << 112, 8), Reach::Never("multicast")),
    (v6(1, 128), Reach::Own("loopback")),
    (v6(0xfc00 << 112, 7), Reach::Own("private")),
    (v6(0x2001 << 112, 23), Reach::Own("reserved")),
    (v6(0x2001_0db8 << 96, 32), Reach::Own("documentation")),
    (v6(0x3fff << 112, 20), Reach::Own("documentation")),
];

/// The only part of IPv6 from which public addresses are given out (RFC 4291, 2.4).
const GLOBAL_UNICAST: Ipv6Net = v6(0x2000 << 112, 3);

/// Where an address lies. An IPv6 address that carries an IPv4 address lies where that one does.
pub(crate) fn reach(ip: IpAddr) -> Reach {
    match carried(ip) {
        IpAddr::V4(ip) => found(V4.iter().find(|(net, _)| net.contains(&ip))),
        IpAddr::V6(ip) => match V6.iter().find(|(net, _)| net.contains(&ip)) {
            None if !GLOBAL_UNICAST.contains(&ip) => Reach::Own("reserved"),
            entry => found(entry),
        },
    }
}

fn found<N>(entry: Option<&(N, Reach)>) -> Reach {
    entry.map_or(Reach::Public, |(_, reach)| *reach)
}

/// The IPv4 address that an IPv6 address stands for, or the address itself: mapped and compatible (RFC 4291, 2.5.5),
/// translated (RFC 2765), NAT64 (RFC 6052) and 6to4 (RFC 3056).
pub(crate) fn carried(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let [.., g, h] = v6.segments();
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => ip,
        [0, 0, 0, 0, 0, 0 | 0xffff, ..]
        | [0, 0, 0, 0, 0xffff, 0, ..]
        | [0x64, 0xff9b, 0, 0, 0, 0, ..] => joined(g, h),
        [0x2002, b, c, ..] => joined(b, c),
        _ => ip,
    }
}

fn joined(high: u16, low: u16) -> IpAddr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_special_address_is_known_for_what_it_is() {
        let (own, never) = (Reach::Own, Reach::Never);
        for (text, expected) in [
            ("8.8.8.8", Reach::Public),
            ("40.99.1.2", Reach::Public),
            ("2603:1026::1", Reach::Public),
            ("0.0.0.0", never("unspecified")),
            ("0.1.2.3", never("unspecified")),
            ("::", never("unspecified")),
            ("127.0.0.1", own("loopback")),
            ("127.255.255.255", own("loopback")),
            ("::1", own("loopback")),
            ("10.255.0.1", own("private")),
            ("172.15.255.255", Reach::Public),
            ("172.16.0.0", own("private")),
            ("172.31.255.255", own("private")),
            ("172.32.0.0", Reach::Public),
            ("192.168.255.1", own("private")),
            ("fc00::1", own("private")),
            ("fdff::1", own("private")),
            ("100.63.255.255", Reach::Public),
            ("100.64.0.0", own("carrier-grade NAT")),
            ("100.127.255.255", own("carrier-grade NAT")),
            ("100.128.0.0", Reach::Public),
            ("169.254.169.254", never("metadata")),
            ("100.100.100.200", never("metadata")),
            ("168.63.129.16", never("metadata")),
            ("192.0.0.192", never("metadata")),
            ("fd00:ec2::254", never("metadata")),
            ("fd20:ce::254", never("metadata")),
            ("fd00:c1::a9fe:a9fe", never("metadata")),
            ("fd00:42::42", never("metadata")),
            ("169.254.0.1", never("link-local")),
            ("fe80::1", never("link-local")),
            ("febf::1", never("link-local")),
            ("224.0.0.1", never("multicast")),
            ("ff02::1", never("multicast")),
            ("255.255.255.255", never("reserved")),
            ("240.0.0.1", never("reserved")),
            ("198.18.0.1", own("benchmarking")),
            ("198.19.255.255", own("benchmarking")),
            ("192.0.2.1", own("documentation")),
            ("198.51.100.1", own("documentation")),
            ("203.0.113.1", own("documentation")),
            ("2001:db8::1", own("documentation")),
            ("3fff::1", own("documentation")),
            ("192.88.99.1", own("reserved")),
            ("2001::1", own("reserved")),
            ("fec0::1", own("reserved")),
            ("100::1", own("reserved")),
            ("64:ff9b:1::1", own("reserved")),
            ("4000::1", own("reserved")),
        ] {
            assert_eq!(reach(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn an_address_within_an_address_is_the_one_that_counts() {
        for (text, expected) in [
            ("::ffff:127.0.0.1", Reach::Own("loopback")),
            ("::127.0.0.1", Reach::Own("loopback")),
            ("::ffff:0:127.0.0.1", Reach::Own("loopback")),
            ("64:ff9b::10.0.0.1", Reach::Own("private")),
            ("64:ff9b::169.254.169.254", Reach::Never("metadata")),
            ("2002:7f00:1::", Reach::Own("loopback")),
            ("2002:a9fe:a9fe::1", Reach::Never("metadata")),
            ("::ffff:169.254.169.254", Reach::Never("metadata")),
            ("::ffff:8.8.8.8", Reach::Public),
            ("64:ff9b::8.8.8.8", Reach::Public),
            ("2002:808:808::1", Reach::Public),
        ] {
            assert_eq!(reach(text.parse().unwrap()), expected, "{text}");
        }
    }
}
