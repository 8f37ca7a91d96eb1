import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../styles/base.css';
import '../styles/parts.css';
import '../styles/pages.css';
import '../styles/list.css';
import '../styles/model.css';
import '../styles/add.css';
import '../styles/screens.css';
import { App } from './app.tsx';
import { redeemLink } from './credential.ts';
import { keepPresses } from './keep-presses.ts';
import { applyTheme, readTheme } from './theme.ts';

applyTheme(readTheme());
keepPresses();
const place = document.getElementById('page');
if (place !== null)
  void redeemLink().then((link) =>
    createRoot(place).render(
      <StrictMode>
        <App link={link} />
      </StrictMode>,
    ),
  );
