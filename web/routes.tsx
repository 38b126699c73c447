// Which address shows which page; each page is a file of its own, loaded when it is wanted.

import { createBrowserRouter } from 'react-router';
import { Loading } from './components/Answer.tsx';
import { Frame } from './components/Frame.tsx';
import { PageFailed } from './components/PageFailed.tsx';

export const router: ReturnType<typeof createBrowserRouter> = createBrowserRouter([
  {
    ErrorBoundary: PageFailed,
    HydrateFallback: Loading,
    children: [
      { path: '/sign-in', lazy: async () => ({ Component: (await import('./pages/SignIn.tsx')).SignIn }) },
      { path: '/invitation', lazy: async () => ({ Component: (await import('./pages/Invitation.tsx')).Invitation }) },
      { path: '/forgotten-password', lazy: async () => ({ Component: (await import('./pages/ForgottenPassword.tsx')).ForgottenPassword }) },
      { path: '/first-run', lazy: async () => ({ Component: (await import('./pages/FirstRun.tsx')).FirstRun }) },
      { path: '/first-run/platform', lazy: async () => ({ Component: (await import('./pages/FirstRunPlatform.tsx')).FirstRunPlatform }) },
      {
        Component: Frame,
        children: [
          {
            ErrorBoundary: PageFailed,
            children: [
              { index: true, lazy: async () => ({ Component: (await import('./pages/Dashboard.tsx')).Dashboard }) },
              { path: '/instances/new', lazy: async () => ({ Component: (await import('./pages/InstanceNew.tsx')).InstanceNew }) },
              {
                path: '/instances/:name',
                lazy: async () => ({ Component: (await import('./pages/Instance.tsx')).Instance }),
                children: [
                  { index: true, lazy: async () => ({ Component: (await import('./pages/InstanceOverview.tsx')).InstanceOverview }) },
                  { path: 'deploy', lazy: async () => ({ Component: (await import('./pages/InstanceDeploy.tsx')).InstanceDeploy }) },
                  { path: 'rooms', lazy: async () => ({ Component: (await import('./pages/InstanceRooms.tsx')).InstanceRooms }) },
                  { path: 'preflight', lazy: async () => ({ Component: (await import('./pages/InstancePreflight.tsx')).InstancePreflight }) },
                  { path: 'recruit', lazy: async () => ({ Component: (await import('./pages/InstanceRecruit.tsx')).InstanceRecruit }) },
                  { path: 'data', lazy: async () => ({ Component: (await import('./pages/InstanceData.tsx')).InstanceData }) },
                  { path: 'people', lazy: async () => ({ Component: (await import('./pages/InstancePeople.tsx')).InstancePeople }) },
                  { path: 'settings', lazy: async () => ({ Component: (await import('./pages/InstanceSettings.tsx')).InstanceSettings }) },
                ],
              },
              { path: '/jobs', lazy: async () => ({ Component: (await import('./pages/Jobs.tsx')).Jobs }) },
              { path: '/jobs/:id', lazy: async () => ({ Component: (await import('./pages/Job.tsx')).Job }) },
              { path: '/people', lazy: async () => ({ Component: (await import('./pages/People.tsx')).People }) },
              { path: '/people/course', lazy: async () => ({ Component: (await import('./pages/CourseNew.tsx')).CourseNew }) },
              { path: '/people/courses/:id', lazy: async () => ({ Component: (await import('./pages/Course.tsx')).Course }) },
              { path: '/about', lazy: async () => ({ Component: (await import('./pages/About.tsx')).About }) },
              { path: '/keys', lazy: async () => ({ Component: (await import('./pages/Keys.tsx')).Keys }) },
              { path: '/account', lazy: async () => ({ Component: (await import('./pages/Account.tsx')).Account }) },
              { path: '/deleted-instances', lazy: async () => ({ Component: (await import('./pages/DeletedInstances.tsx')).DeletedInstances }) },
              { path: '/system', lazy: async () => ({ Component: (await import('./pages/System.tsx')).System }) },
              { path: '/system/check', lazy: async () => ({ Component: (await import('./pages/SystemCheck.tsx')).SystemCheck }) },
              { path: '*', lazy: async () => ({ Component: (await import('./pages/NotFound.tsx')).NotFound }) },
            ],
          },
        ],
      },
    ],
  },
]);
