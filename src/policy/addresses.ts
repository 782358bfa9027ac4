import { BlockList, isIP } from 'node:net';

/** What kind of place an IP address is. `embedded`: an IPv6 form that hides an IPv4 address. */
export type AddressClass =
  | 'public'
  | 'loopback'
  | 'private'
  | 'link-local'
  | 'shared'
  | 'unspecified'
  | 'multicast'
  | 'documentation'
  | 'benchmarking'
  | 'reserved'
  | 'embedded'
  | 'invalid';

/** The classes that a grant can open by naming the address; the rest are nobody’s servers. */
const OPENABLE: readonly AddressClass[] = ['loopback', 'private', 'link-local', 'shared', 'benchmarking'];

type Range = readonly [AddressClass, network: string, prefix: number];

/** The IANA special-purpose registry for IPv4 (RFC 6890 and its updates). */
const IPV4_RANGES: readonly Range[] = [
  ['unspecified', '0.0.0.0', 8],
  ['private', '10.0.0.0', 8],
  ['shared', '100.64.0.0', 10],
  ['loopback', '127.0.0.0', 8],
  ['link-local', '169.254.0.0', 16],
  ['private', '172.16.0.0', 12],
  ['reserved', '192.0.0.0', 24],
  ['documentation', '192.0.2.0', 24],
  ['reserved', '192.31.196.0', 24],
  ['reserved', '192.52.193.0', 24],
  ['embedded', '192.88.99.0', 24],
  ['private', '192.168.0.0', 16],
  ['reserved', '192.175.48.0', 24],
  ['benchmarking', '198.18.0.0', 15],
  ['documentation', '198.51.100.0', 24],
  ['documentation', '203.0.113.0', 24],
  ['multicast', '224.0.0.0', 4],
  ['reserved', '240.0.0.0', 4],
];

/** The same for IPv6, first match wins; `::/96` is there because `[::127.0.0.1]` reaches loopback (sandbox.md §B). */
const IPV6_RANGES: readonly Range[] = [
  ['unspecified', '::', 128],
  ['loopback', '::1', 128],
  ['embedded', '::', 96],
  ['embedded', '::ffff:0:0', 96],
  ['embedded', '::ffff:0:0:0', 96],
  ['embedded', '64:ff9b::', 96],
  ['embedded', '64:ff9b:1::', 48],
  ['embedded', '2001::', 32],
  ['embedded', '2002::', 16],
  ['benchmarking', '2001:2::', 48],
  ['documentation', '2001:db8::', 32],
  ['documentation', '3fff::', 20],
  ['reserved', '2001::', 23],
  ['public', '2000::', 3],
  ['private', 'fc00::', 7],
  ['link-local', 'fe80::', 10],
  ['private', 'fec0::', 10],
  ['multicast', 'ff00::', 8],
];

const toLists = (ranges: readonly Range[], family: 'ipv4' | 'ipv6'): readonly (readonly [AddressClass, BlockList])[] =>
  ranges.map(([addressClass, network, prefix]) => {
    const list = new BlockList();
    list.addSubnet(network, prefix, family);
    return [addressClass, list];
  });

const IPV4_LISTS = toLists(IPV4_RANGES, 'ipv4');
const IPV6_LISTS = toLists(IPV6_RANGES, 'ipv6');

/**
 * Says what kind of place an address is. `address` is what a resolver returns or a URL’s host without brackets.
 * Zone ids (`fe80::1%eth0`) and anything that is no address are `invalid`; IPv6 outside 2000::/3 and the table is `reserved`.
 */
export function classifyAddress(address: string): AddressClass {
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0) return 'invalid';
  const lists = family === 4 ? IPV4_LISTS : IPV6_LISTS;
  const found = lists.find(([, list]) => list.check(address, family === 4 ? 'ipv4' : 'ipv6'));
  return found?.[0] ?? (family === 4 ? 'public' : 'reserved');
}

/** Whether a grant that names an address of this class opens it. */
export const isOpenable = (addressClass: AddressClass): boolean => OPENABLE.includes(addressClass);
