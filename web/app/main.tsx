import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../styles/base.css';
import '../styles/parts.css';
import '../styles/pages.css';
import { App } from './app.tsx';
import { applyTheme, readTheme } from './theme.ts';

applyTheme(readTheme());
const place = document.getElementById('page');
if (place !== null)
  createRoot(place).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
