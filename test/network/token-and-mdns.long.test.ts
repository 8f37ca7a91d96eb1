// The same, with every command and every name.
import './token-and-mdns.test.ts';
