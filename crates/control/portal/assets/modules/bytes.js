// Amounts of data in the reader's language, as the server writes them: decimal units, one digit after the mark.
const language = document.documentElement.lang || undefined;
const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"];

export function humanBytes(bytes) {
  let amount = bytes;
  let unit = 0;
  while (amount >= 999.95 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  if (unit === 0) return `${amount}\u00a0B`;
  const format = { style: "unit", unit: UNITS[unit], minimumFractionDigits: 1, maximumFractionDigits: 1 };
  return new Intl.NumberFormat(language, format).format(amount).replace(" ", "\u00a0");
}
