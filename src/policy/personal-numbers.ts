/** Issuer prefixes and the lengths that go with them (ISO/IEC 7812 ranges of the large schemes). */
const CARD_FORMS: readonly RegExp[] = [
  /^4(?:\d{12}|\d{15}|\d{18})$/,
  /^(?:5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12})$/,
  /^3[47]\d{13}$/,
  /^(?:6011|65\d\d|64[4-9]\d)\d{12}(?:\d{3})?$/,
  /^3(?:0[0-5]|[689]\d)\d{11}$/,
  /^35(?:2[89]|[3-8]\d)\d{12}$/,
  /^62\d{14,17}$/,
];

/** Whether digits, perhaps in groups, are a payment card’s: an issuer’s prefix, its length and the Luhn checksum. */
export function isCardNumber(text: string): boolean {
  const digits = text.replaceAll(/[ -]/g, '');
  return CARD_FORMS.some((form) => form.test(digits)) && hasLuhnChecksum(digits);
}

/** ISO/IEC 7812-1, annex B. */
function hasLuhnChecksum(digits: string): boolean {
  let sum = 0;
  for (const [index, digit] of Array.from(digits).reverse().entries()) {
    const value = Number(digit) * (index % 2 === 1 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

/** Lengths of the IBAN registry (ISO 13616), by country. */
const IBAN_LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    'NO15 BE16 DK18 FI18 FO18 FK18 GL18 NL18 SD18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 MN20 XK20 CH21 HR21 LI21 LV21 BG22 BH22 CR22 DE22 GB22 ' +
    'GE22 IE22 ME22 RS22 VA22 AE23 GI23 IL23 IQ23 OM23 SO23 TL23 AD24 CZ24 ES24 MD24 PK24 RO24 SA24 SE24 SK24 TN24 VG24 LY25 PT25 ST25 IS26 TR26 ' +
    'BI27 DJ27 FR27 GR27 IT27 MC27 MR27 SM27 AL28 AZ28 BY28 CY28 DO28 GT28 HU28 LB28 NI28 PL28 SV28 BR29 EG29 PS29 QA29 UA29 JO30 KW30 MU30 SC31 ' +
    'LC32 MT31 RU33 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** Whether a text is an IBAN: a country of the registry, its length, and the checksum (ISO 7064, mod 97-10). */
export function isIban(text: string): boolean {
  const compact = text.replaceAll(' ', '');
  const wanted = IBAN_LENGTHS.get(compact.slice(0, 2));
  if (wanted === undefined || compact.length < wanted) return false;
  // A word in capitals may follow after a space and look like one more group.
  const iban = compact.slice(0, wanted);
  if (compact.length > wanted && !isGroupEnd(text, wanted)) return false;
  let remainder = 0;
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

function isGroupEnd(text: string, length: number): boolean {
  let seen = 0;
  for (const [index, character] of Array.from(text).entries()) {
    if (character !== ' ') seen += 1;
    if (seen === length) return text[index + 1] === ' ';
  }
  return false;
}

/** Whether `+` and digits are a phone number: E.164’s 8 to 15 digits, and without separators at least ten. */
export function isPhoneNumber(text: string): boolean {
  // One point alone makes a decimal number.
  if (/^\+\d+\.\d+$/.test(text)) return false;
  const digits = text.replaceAll(/\D/g, '');
  const hasSeparators = digits.length < text.length - 1;
  return digits.length <= 15 && digits.length >= (hasSeparators ? 8 : 10);
}
