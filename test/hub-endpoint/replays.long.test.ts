// The same, with every request at every server.
import './replays.test.ts';
