/**
 * What is counted as one client: an address of IPv4, and the /64 of one of IPv6, since each of its
 * clients holds that many addresses at least. `ip` is in canonical text; a zone is cut.
 */
export function clientNetwork(ip: string): string {
  if (!ip.includes(':')) return ip
  const [head = '', tail] = ip.split('%', 1)[0]!.split('::', 2)
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right].slice(0, 4).join(':')
}
