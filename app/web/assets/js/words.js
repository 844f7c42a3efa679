// Punctuation of the reader's language, as the page brings it along.

// A line that says something of somebody: name, colon, words.
export function told(name, words) {
  return `${name}${document.documentElement.dataset.colon}${words}`;
}

// Two sentences in one line.
export function joined(first, second) {
  return `${first}${document.documentElement.dataset.semicolon}${second}`;
}
