// The same, with every test of the long form.
import './recipes.test.ts';
