// The same, at a node too.
import './curl-transcripts.test.ts';
