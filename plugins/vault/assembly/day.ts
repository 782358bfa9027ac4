import { now } from "../../guest-sdk/assembly/az";
import { Request } from "../../guest-sdk/assembly/request";

/** The argument `date`, or today where the host is; reports a problem for what is no day of the calendar. */
export function readDay(request: Request): string {
  const date = request.optionalText("date", "");
  if (date.length == 0) return today(request);
  if (!isDay(date)) request.report(`Wrong argument "date": "${date}" is not a day, wanted YYYY-MM-DD`);
  return date;
}

/** The local date, `YYYY-MM-DD`. */
function today(request: Request): string {
  const date = now().substring(0, 10);
  if (!isDay(date)) request.report("Cannot tell today's date: the host's clock gave no RFC 3339 time, pass date");
  return date;
}

/** The local time, `HH:MM`. */
export function clockTime(): string {
  return now().substring(11, 16);
}

/** Whether a text is `YYYY-MM-DD` and in the Gregorian calendar. */
export function isDay(text: string): bool {
  if (text.length != 10) return false;
  for (let i = 0; i < 10; i++) {
    const unit = text.charCodeAt(i);
    if (i == 4 || i == 7 ? unit != 0x2d : unit < 0x30 || unit > 0x39) return false;
  }
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

function digits(text: string, start: i32, end: i32): i32 {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 10 + text.charCodeAt(i) - 0x30;
  return value;
}

function daysIn(year: i32, month: i32): i32 {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}
