/** How a value is written behind the `?` of an address. */
export interface AddressFormat<T> {
  /** Anything that is not valid has its default. */
  readonly parse: (query: URLSearchParams) => T;
  /** What differs from the default. */
  readonly format: (value: T) => URLSearchParams;
}
