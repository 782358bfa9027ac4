const MAX_CHARS = 128;
const MAX_ITEMS = 8;

/**
 * The fields of a record that would be longer than a line may be, cut so that they fit whatever they were: strings to
 * 128 characters, lists to 8 items; arguments and details, which are free in form, go. What was cut says so.
 */
export function shrinkFields(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      if (key === 'arguments') return [key, '[cut]'];
      if (key === 'detail') return [key, { cut: true }];
      return [key, clip(value)];
    }),
  );
}

function clip(value: unknown): unknown {
  if (typeof value === 'string') return value.length <= MAX_CHARS ? value : `${value.slice(0, MAX_CHARS)}…[cut]`;
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value))
    return Object.fromEntries(
      Object.entries(value)
        .slice(0, MAX_ITEMS)
        .map(([key, member]) => [key, clip(member)]),
    );
  const kept = value.slice(0, MAX_ITEMS).map(clip);
  if (value.length > MAX_ITEMS) kept.push(inShapeOf(kept[0], `[${value.length - MAX_ITEMS} more, cut]`));
  return kept;
}

/** The note takes the shape of the items, so that the record stays one that its schema accepts. */
function inShapeOf(item: unknown, note: string): unknown {
  if (typeof item !== 'object' || item === null) return note;
  return Object.fromEntries(Object.keys(item).map((key) => [key, note]));
}
