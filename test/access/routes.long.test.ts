// The same tests, with all roles for each setting of the LAN.
import './routes.test.ts';
