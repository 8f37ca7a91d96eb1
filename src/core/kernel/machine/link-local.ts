/** Whether an address only means something on the cable or Wi-Fi that it was heard on. Source: RFC 3927, RFC 4291 (2.5.6). */
export const isLinkLocal = (address: string): boolean => /^(169\.254\.|fe[89ab][0-9a-f]:)/i.test(address);
