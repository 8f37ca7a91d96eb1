// The same, with everybody whatever the LAN may do.
import './routes.test.ts';
