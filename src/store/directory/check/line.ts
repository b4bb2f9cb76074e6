/** Fields of a header are made of it: nothing that ends one, or turns its text around. */
export const isLine = (text: string, lengthMax: number): boolean =>
  text.trim() !== '' && text.length <= lengthMax && !NO_LINE.test(text)

// What a line cannot hold.
export const NO_LINE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/
