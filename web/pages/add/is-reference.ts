/** Whether a text names one model rather than words to look for: an address, or a reference with a revision or a selector. Pure. */
export const isReference = (text: string): boolean => /^(?:https?:|hf:|hf\.co\/|huggingface\.co\/)/i.test(text) || /[:@]/.test(text);

/** Whether a text can be opened as it is. One with a slash may also be a part of a name that is being typed. Pure. */
export const mayOpen = (text: string): boolean => isReference(text) || text.includes('/');
