const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/**
 * Local RFC 3339 with a nine-digit fraction and the offset, as `az::now` has it (agentzero.md §2): guests cut the date
 * and the hour out of it, so it must be the person’s local time.
 */
export function formatLocalTime(time: Date): string {
  const offset = -time.getTimezoneOffset();
  const sign = offset < 0 ? '-' : '+';
  const zone = `${sign}${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
  const date = `${pad(time.getFullYear(), 4)}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`;
  const clock = `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
  return `${date}T${clock}.${pad(time.getMilliseconds(), 3)}000000${zone}`;
}
