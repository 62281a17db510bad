// Amounts as people write them: `$9.99`.

/** An amount in minor units, of a currency with two decimals. */
export function money(cents, currency) {
  return new Intl.NumberFormat("en-US", { style: "currency", currency }).format(cents / 100);
}
