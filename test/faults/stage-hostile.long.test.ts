// The same tests, with every manifest.
import './stage-hostile.test.ts';
